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

NOT_PERMITTED = "Operation not permitted"
NO_SUCH_FILE = "No such file or directory"
NO_MEMORY = "Cannot allocate memory"
DENIED = "Permission denied"
BUSY = "Device or resource busy"
EXISTS = "File exists"
NO_FOLDER = "Not a directory"
BAD_ARGUMENT = "Invalid argument"
MANY_FILES = "Too many open files"
NO_SPACE = "No space left on device"
READ_ONLY = "Read-only file system"
LONG_FILE_NAME = "File name too long"
NOT_EXECUTABLE = "Exec format error"
IO_ERROR = "Input/output error"
NO_PROCESS = "Resource temporarily unavailable"
QUOTA = "Disk quota exceeded"
NUMBERED = "[Errno {number:d}] {problem}"
