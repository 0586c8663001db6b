"""What is said of datasets that cannot be read or exported, as templates of `str.format`."""

NO_DATASET = "there is no dataset {dataset} in {location}; give the id of one that is there"
NO_TABLE = "{dataset} is no table; only tabular datasets can be exported for training yet."
BIGQUERY_SOURCE = (
    "{dataset} is a BigQuery table, and exporting those is not built yet: use a dataset whose source is "
    "on Cloud Storage."
)
BIGQUERY_TARGET = (
    "Exporting a dataset to BigQuery is not built yet: set gcs_destination instead of bigquery_destination, "
    "and use a dataset whose source is on Cloud Storage."
)
NO_ITEMS = "a table has no items to filter; use a fraction, predefined, timestamp or stratified split"
NO_KEY = "name the column to split by"
BAD_PREFIX = "{prefix} must have the form gs://BUCKET/PREFIX"
NO_OBJECT = "there is no object {uri}. Upload the data first, or correct the URI"
MANY_FILES = "The dataset has {count:d} files; at most {most:d} can be exported."
INTERRUPTED = (
    "The export of {dataset} was interrupted {times:d} times, probably for the want of "
    "memory on the server. Give it more, or split the data into smaller files, and run it again."
)
LOOK_ENDED = "The table could not be looked at: the process that read it ended. Try again."
LOOK_BUSY = "Another table is being looked at; try again in a moment."

NO_SCHEMA = "is required; for a table: gs://google-cloud-aiplatform/schema/dataset/metadata/tabular_1.0.0.yaml"
BAD_SCHEMA = "{uri} is no schema of a dataset: give {schemas}NAME with one of {known}"
ONE_SOURCE = "give exactly one of inputConfig.gcsSource.uri and inputConfig.bigquerySource.uri"
BAD_TABLE = "{uri} must have the form bq://PROJECT.DATASET.TABLE"
MANY_URIS = "at most {most:d} URIs are taken, and {most_wild:d} with a *, not {count:d} and {wild:d}"
BAD_URI = "{uri} must have the form gs://BUCKET/OBJECT"
