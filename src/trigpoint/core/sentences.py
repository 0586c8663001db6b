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
