"""What is said of a training pipeline, as templates of `str.format`."""

CANCELLED = "The training pipeline was cancelled by the user."
JOB_DELETED = "The backing custom job was deleted before the training pipeline had ended."
UNEXPLAINED = "The backing custom job failed without an error of its own."

NO_TASK = "{task} is not available in this installation; use {known}."
NO_DATASET = "The id of a dataset in this project and location is required."
NO_DESTINATION = "A gcs_destination is required: the replicas read the exported data from there."
NO_BIGQUERY = "Exports to BigQuery are not available in this installation yet; give gcs_destination."
BAD_FRACTIONS = "The fractions {fractions} must each be from 0 to 1 and add up to at most 1."
NO_INPUTS = "An object with the fields of a CustomJobSpec is required."
NOT_DELETED = (
    'The TrainingPipeline "{name}" is in state {state} and cannot be deleted. Cancel it first, or wait until it ends.'
)
NOT_CANCELED = 'The TrainingPipeline "{name}" is in state {state} and cannot be canceled.'
