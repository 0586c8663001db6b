"""What every slice says alike, as templates of `str.format`, and what the system says that lies below us.

A package's `sentences` module owns the sentences that the console words in its languages
(`tools/generate_sentences.py`); a field with a format such as `{n:d}` is a number.
"""

FOUND_ERRORS = "List of found errors:"
FIELD_ERROR = "{number:d}.Field: {field}; Message: {problem}"

NO_NAME = "Display name is required: give one of 1 to 128 characters."
LONG_NAME = "Display name has {count:d} characters; at most 128 are allowed."
ODD_NAME = "Display name holds a control character; use printable characters only."
BAD_ID = (
    "{value} must have 1 to 63 characters of a-z, 0-9, underscore and hyphen, "
    "and must not start with a digit or hyphen."
)

SYSTEM_NOT_PERMITTED = "Operation not permitted"
SYSTEM_NO_SUCH_FILE = "No such file or directory"
SYSTEM_NO_MEMORY = "Cannot allocate memory"
SYSTEM_DENIED = "Permission denied"
SYSTEM_BUSY = "Device or resource busy"
SYSTEM_EXISTS = "File exists"
SYSTEM_NO_FOLDER = "Not a directory"
SYSTEM_BAD_ARGUMENT = "Invalid argument"
SYSTEM_MANY_FILES = "Too many open files"
SYSTEM_NO_SPACE = "No space left on device"
SYSTEM_READ_ONLY = "Read-only file system"
SYSTEM_LONG_FILE_NAME = "File name too long"
SYSTEM_NOT_EXECUTABLE = "Exec format error"
SYSTEM_IO_ERROR = "Input/output error"
SYSTEM_NO_PROCESS = "Resource temporarily unavailable"
SYSTEM_QUOTA = "Disk quota exceeded"
SYSTEM_NUMBERED = "[Errno {number:d}] {problem}"

LABELS = (
    "There can be no more than 64 labels attached to a single resource. Label keys and values can only contain "
    "lowercase letters, numbers, dashes and underscores. Label keys must start with a letter or number, must be less "
    "than 64 characters in length, and must be less than 128 bytes in length when encoded in UTF-8. Label values "
    "must be less than 64 characters in length, and must be less than 128 bytes in length when encoded in UTF-8."
)
BAD_URI = "{uri} is not a Cloud Storage URI of the form gs://BUCKET/NAME: {problem}"
NO_SCHEME = "does not start with gs://"
BUCKET_LENGTH = "the bucket name {name} must have 3 to 63 characters (222 with dots)"
BUCKET_CHARACTERS = (
    "the bucket name {name} may hold only a-z, 0-9, hyphen, underscore and dot, "
    "and each part must start and end with a letter or digit"
)
BUCKET_ADDRESS = "the bucket name {name} must not look like an IP address"
BUCKET_OF_GOOGLE = "the bucket name {name} must not start with goog or contain google"
OBJECT_NO_UNICODE = "the object name is not valid Unicode"
OBJECT_LENGTH = "the object name has {size:d} bytes of UTF-8; 1 to 1024 are allowed"
OBJECT_BREAKS = "the object name must not hold line breaks"
OBJECT_DOTS = "the object name must not be . or .."
BAD_RESOURCE = "{name} is not a name of the form {form}"
NO_PROJECT = "{name} does not start with projects/PROJECT"

_HOW = 'write FIELD = "VALUE", joined by AND, OR, NOT and parentheses'
LONG_FILTER = "it is {count:d} characters long; at most {most:d} are taken"
NUL_FILTER = "it holds a NUL character"
DEEP_FILTER = "parentheses nest deeper than {deepest:d} levels"
LONG_PATH = "a field has more than {most:d} parts"
MANY_COMPARISONS = "it has {count:d} comparisons; at most {most:d} are taken"
NO_NUMBER = "{value} is not a number"
NO_TRUTH = "{value} is neither true nor false"
NO_TIME = "{value} is not a time; write it as 2026-01-31T12:00:00Z"
ENDS_EARLY = "it ends too early; " + _HOW
NOT_EXPECTED = "{text} at position {position:d} is not expected; " + _HOW
LISTED = "a list at position {position:d} goes with the operator : only"
NO_COMPARISON = "{word} at position {position:d} is not a comparison; " + _HOW
LOWER_CASE = "{word} at position {position:d} is not a comparison; write {capitals} in capitals"
SEARCHES_ONLY = "the operator {operator} is not supported here; use = with the wildcard *"
BAD_ORDER = "{problem}; write it as: display_name, create_time desc"
LONG_ORDER = "it is longer than {most:d} characters"
NO_TERM = "{term} is not a field, optionally followed by asc or desc"
ORDERED_TWICE = "give each field once, and at most {most:d}"
NEGATIVE_SIZE = "{size:d} is negative; give 0 for the default"
BAD_TOKEN = "it is no token of this query; repeat the request that gave it unchanged, or start without a token"  # noqa: S105
NO_FIELD = "{path} is not a field; these are: {fields}"
NOT_MUTABLE = "{path} cannot be updated; these can: {fields}."
MANY_PATHS = "{count:d} paths; at most {most:d} are taken"
LONG_MASK = "{path} is too long: a path has at most {most:d} characters and {deepest:d} parts"

_PAYLOAD = "Invalid JSON payload received. "
BAD_JSON = _PAYLOAD + "{problem}"
UNBINDABLE = _PAYLOAD + 'Unknown name "{name}": Cannot bind query parameter. {problem}'
NO_PARAMETER = "Field {name} could not be found in request message."
GIVEN_WHOLE = "It is given as a whole already."
NO_MAP_HERE = "A map cannot be given in the query."
NO_MESSAGE_HERE = "It is a message; only its fields can be given in the query."
DEEP_JSON = _PAYLOAD + "It nests deeper than {deepest:d} levels."
NO_UTF8 = _PAYLOAD + "It is not UTF-8 at byte {at:d}."
NO_CONSTANT = "{name} is not a JSON value; write it as a string"
UNKNOWN_NAME = _PAYLOAD + 'Unknown name "{name}": Cannot find field.'
UNKNOWN_NAME_AT = _PAYLOAD + "Unknown name \"{name}\" at '{path}': Cannot find field."
BAD_VALUE = "Invalid value at '{path}' ({kind}), {value}"
BAD_MESSAGE = "Invalid value at the message ({kind}), {value}"
NO_SUCH_NUMBER = "Invalid value at '{path}' (TYPE_DOUBLE), {value}: JSON has no such number"
ALREADY_SET = "Invalid value at '{path}' (oneof), oneof field '{oneof}' is already set."
CANNOT_SET = ALREADY_SET + " Cannot set '{field}'"
NO_JSON_FORM = "a {message} has no JSON form: {problem}"
LARGE_PAYLOAD = "Request payload size exceeds the limit: {most:d} bytes."
INTERNAL = "Internal error encountered."
