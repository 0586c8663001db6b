"""What is said of a training pipeline, as templates of `str.format`."""

CANCELLED = "The training pipeline was cancelled by the user."
UNEXPLAINED = "The backing custom job failed without an error of its own."
