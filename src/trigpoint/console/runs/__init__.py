"""Training runs as lists show them: pipelines, and jobs that no pipeline launched."""
