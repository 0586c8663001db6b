"""What is said of data that cannot be read or written, as templates of `str.format`."""

ROW_LENGTH = (
    "Row {row:d} of {uri} has {fields:d} fields and the header has {header:d}. "
    "Give every row as many comma-separated fields as the header, quoting fields with commas."
)
NO_HEADER = "{uri} is empty; its first line must be the header with the column names."
NO_CSV = "{uri} cannot be read as CSV: {problem}."
NO_COLUMN = "the data has no column {column}; its columns are: {columns}"
BAD_FRACTIONS = "fractions must be between 0 and 1 and sum to at most 1, not {fractions}"
SPLIT_MEMORY = "Splitting the data needs more than {mebibytes:d} MiB of memory. Use a fraction split or smaller files."
NOT_WRITTEN = "The export could not be written: {problem}. Make room on the server's disk and run it again."
LONG_ROWS = "The table's rows are too long to be looked at: a single value takes hundreds of MiB."

NO_OBJECT = "No such object: {object}"
LOST = "The bytes of {object} are lost: restore them from a backup."
OVERWRITTEN = "Generation {generation:d} of {object} was overwritten in place through /gcs."
CHANGED = "The source object changed while it was read: retry."
DISK_FULL = "The server's disk is full: nothing of this object was kept; free space on it, then retry."
READ_ONLY = "The server's object storage is read-only: nothing can be written."
TOO_LARGE = "The object is larger than the server's file system allows."
DISK_FAILED = "The server's disk failed a read or write: check the disk, then retry."
FILE_IN_PLACE = "A file lies where the folder of bucket {bucket} is to be: move it elsewhere."

NOT_EMPTY = "The bucket {bucket} is not empty: delete its objects first, also noncurrent ones."
NO_BUCKET = "The specified bucket does not exist: {bucket}. Create it first, or correct its name."
THIS_OVERWRITTEN = "Generation {generation:d} of this object was overwritten in place through /gcs."
CHANGED_MEANWHILE = "The object changed meanwhile."
SESSION_GONE = "The upload session does not exist or has expired: start the upload again."
SESSION_BUSY = "Another request writes to this upload session: wait for it, then ask for its status."
SESSION_CANCELLED = "The upload session was cancelled."
SESSION_GAP = (
    "The upload session holds {held:d} bytes and the request starts at byte {offset:d}: "
    "ask for the session's status and go on from there."
)
