"""What is said of a job: why it waits, why it failed, what it asked for in vain. Templates of `str.format`."""

AHEAD_ONE = "1 job is ahead in the queue."
AHEAD = "{count:d} jobs are ahead in the queue."
AHEAD_MANY = "{count:d} or more jobs are ahead in the queue."
FULL = (
    "{running:d} replicas are running and at most {most:d} run at once on this machine. "
    "Raise `parallel_jobs` to run more."
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
TERMINATED = "The replica {task} exited with a non-zero status of {status:d}. Termination reason: {how}."
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
