"""What is said of buckets and objects that are not there, as templates of `str.format`."""

_ABSENT = (
    "bucket {bucket} does not exist in this project. Create it "
    "(gcloud storage buckets create {address}) or correct the URI {uri}."
)
NO_BUCKET = "{field}: the " + _ABSENT
NO_SUCH_BUCKET = "The " + _ABSENT
NO_OBJECT = "{field}: there is no object {uri}. Upload it, or correct the URI."

NO_PROJECT = "is required: give the project's id or number"
FOREIGN_PROJECT = (
    "{email} does not have storage access to project {project} (or it may not exist): use an account of that project."
)
FOREIGN_BUCKET = (
    "{email} does not have storage access to bucket {bucket} (or it may not exist): "
    "use an account of the project that owns it, or a bucket of your own project."
)
BAD_BINDINGS = "must be a list of objects with role and members"
POLICY_CHANGED = "The policy of bucket {bucket} changed meanwhile: read it again and retry."
TOO_LARGE = "{uri} has {size:d} bytes; at most {most:d} are read here"
NO_TEXT = "{uri} is not UTF-8 text"
BAD_TOKEN = "is not a token of this query: repeat the list from its first page"  # noqa: S105 - a sentence
NOT_MODIFIED = "The object is what the request already has."
BAD_CHECKSUM = (
    "Provided {name} {claimed} doesn't match the calculated {name} {found}: "
    "the bytes were damaged on the way, send them again."
)
LARGE_SETTINGS = "The settings and the policy of a bucket hold at most {most:d} bytes together."
NO_RETENTION = "retention policies are not enforced here: leave it out, use versioning"
NO_SOFT_DELETE = "soft delete is not kept here: set 0 seconds, use versioning"
NO_OBJECT_VALUE = "must be an object"
BAD_TYPE = "must be of type {type}"
TOO_LONG = "is longer than {most:d} characters"
NO_STRINGS = "every value must be a string"
LARGE_METADATA = "holds more than {most:d} bytes"
HELD = (
    "Object '{bucket}/{name}' is under active hold and cannot be deleted, overwritten or archived until the hold is "
    "removed."
)
NO_CLASS = "{value} is no storage class"
BAD_GLOB = "{value} is not a valid glob"
UNMET = (
    "At least one of the pre-conditions you specified did not hold: {name} is {wanted:d}, the current value is {found}."
)
COMPOSED = "holds {count:d} objects; 1 to {most:d} can be composed"
SAME_OBJECT = "is the source itself"
OTHER_SIZE = "says {size:d} bytes; the session holds {held:d}"
BAD_PART = "must be 1 to 10000"
LOST_PARTS = "The upload names parts that are missing or out of order: {parts}."
FOREIGN_SESSION = "{email} did not begin this upload session: begin one of your own."
