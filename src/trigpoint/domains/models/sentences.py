"""What is said of models that cannot be registered, as templates of `str.format`."""

NO_MODEL = (
    "There is no model in {uri}: the program must write at least one file to the directory "
    "that AIP_MODEL_DIR names before it ends."
)
BAD_DIRECTORY = "{uri} must be a directory on Cloud Storage, gs://BUCKET/PREFIX"
EXISTS = "The Model {model} already exists: choose another model_id, or set parent_model to it."
NO_VERSION = "The Model {model} has no version or alias {version}; see its versions with listVersions."
