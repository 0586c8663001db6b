"""What the database says of changes that it cannot make and rows that it cannot read. Templates of `str.format`."""

DAMAGED = (
    "The database is damaged: stop the server and run `trig restore` with the newest backup. "
    "What it replaces is kept aside in the home."
)
LOST = (
    "The newest changes of the database are missing (its write-ahead log was removed, cut or damaged): stop the server "
    "and run `trig restore` with the newest backup, or `trig restore --accept-loss` to go on with what is left."
)
FULL = "The server's disk is full: nothing of this change was kept; free space on it, then retry."
BUSY = "The database did not answer in time: retry."
DISK_FAILED = "The server's disk failed a read or write: nothing of this change was kept; check the disk, then retry."
NO_MEMORY = "The server is out of memory: retry."
READ_ONLY = "The server runs read-only: nothing can be changed."
STORED_ALREADY = "The same thing is stored already."
TOO_LARGE = "A value is too large to be stored: keep each below 1 GB."
OVERTAKEN = "A concurrent change won: read again and retry."
BAD_VALUE = "A value cannot be stored: remove NUL characters and keep numbers within 64 bits."
BAD_TEXT = "A value cannot be stored: text must be valid Unicode and numbers must fit 64 bits."
LARGE_QUERY = "The query is too large: ask for less at once."
REFUSED = "The database refused a statement."
UNREACHABLE = "The database cannot be reached: retry."
SHUTTING_DOWN = "The server is shutting down: retry."

NO_FIELD = "{name} is not the name of a field"
RESOURCE_EXISTS = "{name} already exists: choose another id."
RESOURCE_CHANGED = "{name} was changed by someone else meanwhile: read it again and retry."
RESOURCE_DAMAGED = (
    "{name} is damaged in the database and cannot be read: "
    "run `trig restore` with a backup, or delete the resource and create it again."
)
NOT_STORABLE = "The {what} cannot be stored: use valid Unicode and plain values."
BUCKET_TAKEN = "The bucket name {name} is taken. Bucket names are shared by all projects: choose another one."
BUCKET_CHANGED = "Bucket {name} changed meanwhile: read it again and retry."
OBJECT_CHANGED = "Object {bucket}/{name} changed meanwhile: read it again and retry."
ROW_DAMAGED = "A row of {table} is damaged: run `trig restore` with the newest backup."
LINEAGE_DAMAGED = "The lineage of {name} is damaged in the database: run `trig restore` with a backup."
EVENT_DAMAGED = "Event {seq:d} is damaged in the database: run `trig restore` with a backup."
OPERATION_EXISTS = "{name} already exists."
OPERATION_CHANGED = "{name} was changed meanwhile: read it again and retry."
OPERATION_DAMAGED = "{name} is damaged in the database: run `trig restore` with a backup."
