"""What is said of models that cannot be registered, as templates of `str.format`."""

NO_MODEL = (
    "There is no model in {uri}: the program must write at least one file to the directory "
    "that AIP_MODEL_DIR names before it ends."
)
BAD_DIRECTORY = "{uri} must be a directory on Cloud Storage, gs://BUCKET/PREFIX"
EXISTS = "The Model {model} already exists: choose another model_id, or set parent_model to it."
NO_VERSION = "The Model {model} has no version or alias {version}; see its versions with listVersions."

NOTHING_THERE = "there is nothing in {uri}: upload the model's files first, or name their folder"
NO_MASK = "an update mask is required; of {fields}"
NO_CHANGES = "name at least one alias to add, or to remove as -alias"
WHICH_VERSION = "name the version to delete, as in models/MODEL@VERSION; DeleteModel removes the whole model"
ONE_VERSION = "names one version; leave the @VERSION out, or use DeleteModelVersion"
NOT_ORDERED = "model is compared with = or !="
BAD_ALIAS = (
    "the alias {alias} must be 2 to 128 letters, digits and hyphens, start with a lower-case letter and end in one or "
    "a digit"
)
BAD_PARENT = "{model} must name a model, without a version, in {parent}"
OTHER_ID = "{id} is not the id of parent_model; leave one of the two out"
NO_DEFAULT = "`default` cannot be removed: add it to another version instead, and it moves there"
LAST_VERSION = "Version {version} is the only one of the Model {model}: delete the model instead of its last version."
NOT_MUTABLE = "{path} cannot be updated; these can: {fields}"
OF_MODEL = "update_mask: {field} is a field of a model: name it without @VERSION, and update the two in separate calls."
OF_VERSION = (
    "update_mask: {field} is a field of a version: name it with @VERSION, and update the two in separate calls."
)
DEPLOYED = "Version {version} of the Model {model} is deployed to {user}. Undeploy it there first."
