"""The resources of this slice, declared."""

from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import TrainingPipeline
from trigpoint.kernel.resource import Kind

TRAINING_PIPELINE = Kind(
    noun="TrainingPipeline",
    message=TrainingPipeline,
    pattern=pattern("projects/{project}/locations/{location}/trainingPipelines/{training_pipeline}"),
    filters={"training_task_definition": "trainingTaskDefinition"},
)
