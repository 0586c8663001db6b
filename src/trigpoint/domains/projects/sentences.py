"""What is said of projects that may not be used or changed, as templates of `str.format`."""

ID_TAKEN = "Project id {id} is already in use: choose another one."
DEFAULT = (
    "Project {number} is the default project of this installation and holds the operator's account: "
    "start the server with another default project first."
)
DENIED = (
    "Permission denied on resource project {project} (or it may not exist): check the project id, and that "
    "the credentials belong to it."
)
OTHER_STATE = "Project {number} is in state {state}, not {expected}."
