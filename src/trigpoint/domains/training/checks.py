"""What a training pipeline must look like to be accepted, by itself. Pure.

Rules: vertex-training.md sections 2.1 and 2.4.
"""

from trigpoint.core import checks
from trigpoint.core.errors import Violation
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import InputDataConfig, TrainingPipeline
from trigpoint.domains.training import inputs, sentences

_FIELD = "training_pipeline"


def check(pipeline: TrainingPipeline) -> list[Violation]:
    """Return everything wrong with a pipeline that can be seen without looking at other resources."""
    found = checks.display_name(f"{_FIELD}.display_name", pipeline.display_name)
    found += checks.labels(f"{_FIELD}.labels", pipeline.labels)
    if pipeline.training_task_definition != inputs.CUSTOM_TASK:
        given = pipeline.training_task_definition[:200]
        text = sentences.NO_TASK.format(task=repr(given), known=inputs.CUSTOM_TASK)
        found.append(Violation(f"{_FIELD}.training_task_definition", text))
    if pipeline.input_data_config is not None:
        found += _data(pipeline.input_data_config)
    if pipeline.model_to_upload is not None:
        found += checks.display_name(f"{_FIELD}.model_to_upload.display_name", pipeline.model_to_upload.display_name)
        found += checks.labels(f"{_FIELD}.model_to_upload.labels", pipeline.model_to_upload.labels)
    if pipeline.model_id:
        found += checks.client_id(f"{_FIELD}.model_id", pipeline.model_id)
    return found


def _data(config: InputDataConfig) -> list[Violation]:
    path, found = f"{_FIELD}.input_data_config", list[Violation]()
    if not config.dataset_id:
        found.append(Violation(f"{path}.dataset_id", sentences.NO_DATASET))
    if config.destination is None:
        text = sentences.NO_DESTINATION
        found.append(Violation(f"{path}.destination", text))
    elif config.destination.field == "gcs_destination":
        found += checks.gs_uri(f"{path}.gcs_destination.output_uri_prefix", config.destination.value.output_uri_prefix)
    else:
        text = sentences.NO_BIGQUERY
        found.append(Violation(f"{path}.bigquery_destination", text))
    if config.split is not None and config.split.field == "fraction_split":
        split = config.split.value
        fractions = (split.training_fraction, split.validation_fraction, split.test_fraction)
        if any(not 0 <= fraction <= 1 for fraction in fractions) or sum(fractions) > 1 + 1e-9:
            text = sentences.BAD_FRACTIONS.format(fractions=fractions)
            found.append(Violation(f"{path}.fraction_split", text))
    return found
