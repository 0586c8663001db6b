"""What is said of a job: why it waits, why it failed, what it asked for in vain. Templates of `str.format`."""

AHEAD_ONE = "1 job is ahead in the queue."
AHEAD = "{count:d} jobs are ahead in the queue."
AHEAD_MANY = "{count:d} or more jobs are ahead in the queue."
FULL = (
    "{running:d} replicas are running, and a job starts beside others only if they have at most {most:d} together on "
    "this machine. Raise `parallel_jobs` to run more."
)
QUOTA_USED = "{used:d} of {quota:d} vCPUs of the quota are in use; the job asks for {asked:d}."
EXCESS = (
    "the job asks for {vcpus:d} vCPUs and {memory:g} GiB of memory, "
    "the machine has {cpus:d} and {machine_memory:.0f} GiB"
)
INSUFFICIENT = (
    "Resources are insufficient on this machine: {excess}. "
    "Use smaller machine types or fewer replicas, or switch `strict` off to over-commit."
)
OVER_QUOTA = "The following quota metrics exceed quota limits: {metrics}. {fix}"
NO_ACCELERATOR = (
    "This machine has no {accelerator}: remove the accelerator from machine_spec, with a machine type that has none "
    "built in, or run where there is one."
)
OVER_VCPUS = "The job asks for {asked:d} vCPUs and the quota is {quota:d}: raise `vcpu_quota` or ask for less."

BUILDING = "Building the environment of {image}: {step}"
NO_IMAGE = "The image {image} could not be provided on this machine: {problem}"
TPU = "Machine type {machine} holds TPUs, which this machine has none of. Use one such as n1-standard-4."
NO_MACHINE = "Machine type {machine} is not supported. Use one such as n1-standard-4 or e2-standard-4."
NOT_PREBUILT = "{image} is not a prebuilt image that is known here; use one such as {example}."
OWN_IMAGE = "{image} can't be run here: images of your own are not built yet. Use one such as {example}."

EXITED = "The replica {task} exited with a non-zero status of {status:d}."
TERMINATED = EXITED + " Termination reason: {how}."
OUT_OF_MEMORY = (
    "The replica {task} ran out of memory and exited with a non-zero status of {status:d}. "
    "Use a machine type with more memory, or read the data in parts."
)
MORE = "To find out more about why your job exited please check the logs: {link}"
TIMEOUT = (
    "The job {job} ran longer than its timeout of {seconds:g} s and was stopped. "
    "Raise scheduling.timeout, or make the program finish earlier."
)
CANCELLED = "The job was cancelled by the user."
LOST = (
    "Internal error occurred for the current attempt: the machine process of replica {task} disappeared. "
    "It was restarted as often as allowed; run the job again."
)
DISAPPEARED = "The agent of {task} disappeared without reporting an outcome."
CRASHED = "The program of {task} crashed with status {status:d}."

NO_KEY = "nothing is encrypted with the key {key}; the home lies on the machine's disks as they are."
OWN_NETWORK = "replicas reach what this machine reaches and may reach, not a network of Google Cloud."
NO_SHELL = "nobody can enter a replica; what its programs print is in the log."
NO_RUN = "the service links no experiment; what the program logs to one by itself is kept."
IN_TURN = "the job takes its turn in this machine's queue, however long that is, and is not preempted."
NO_STREAM = "nothing is streamed to it; what the program writes to AIP_TENSORBOARD_LOG_DIR is in the bucket."
ONE_MACHINE = "everything lies on this machine."
NO_MODELS = "only jobs that Google provides are given models."
NO_RESERVATIONS = "there are no reservations."
SHARED_DISK = "replicas share the free space of this machine's disk."

NO_SPEC = "A job specification is required."
NO_POOL = "At least one worker pool with a container_spec or python_package_spec is required."
MANY_POOLS = "There are {count:d} worker pools; at most {most:d} are allowed."
ONE_PRIMARY = "Worker pool 0 is the primary replica; its replica count must be 1, not {count:d}."
NO_TASK = "Give container_spec or python_package_spec, or leave it empty."
NEGATIVE_TIMEOUT = "The timeout must not be negative."
NO_ACCOUNT = "{account} is not the email address of a service account."
NO_PERSISTENT = "Persistent resources are not available in this installation yet; leave the field empty."
BAD_COUNT = "The replica count must be from 1 to {most:d}, not {count:d}."
NO_SHARES = "No shares are mounted in this installation; copy the files to a bucket and read them under /gcs."
NO_MACHINE_TYPE = "A machine type is required, e.g. n1-standard-4."
BOTH_OR_NEITHER = "Give an accelerator type and how many of it, or neither; the count is {count:d}."
NOT_HERE = "This is not available in this installation; leave it empty."
PACKAGE_COUNT = "From 1 to {most:d} packages are required, there are {count:d}."
NO_MODULE = "{module} is not the dotted name of a Python module, such as trainer.task."
NO_PROGRAM = "The image has no program of its own here: give what to run, such as python3, -m, trainer.task."
NO_IMAGE_URI = "An image URI is required."
MANY_VARIABLES = "There are {count:d} environment variables; at most {most:d} are allowed."
BAD_VARIABLE = "{name} is not the name of an environment variable."
LONG_ARGUMENTS = "The arguments have {count:d} characters; at most 100000 are allowed."
NUL_ARGUMENT = "An argument holds a NUL character, which no program can be given."
NOT_DELETED = (
    'The CustomJob "{name}" is in state {state} and cannot be deleted. Cancel it first, or wait until it ends.'
)
AWAITED = 'The CustomJob "{name}" cannot be deleted before {user} has ended: it takes up what the job left.'
NOT_CANCELED = 'The CustomJob "{name}" is in state {state} and cannot be canceled.'
