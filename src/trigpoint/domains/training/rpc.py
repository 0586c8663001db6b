"""PipelineService's training pipelines: what is accepted, and how it is stored. What happens then is `work`'s."""

from collections.abc import Mapping
from dataclasses import asdict

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.checks import refuse
from trigpoint.core.errors import FailedPrecondition
from trigpoint.core.messages import Empty
from trigpoint.core.pb.google.cloud.aiplatform.v1.pipeline_service_pb import (
    CancelTrainingPipelineRequest,
    CreateTrainingPipelineRequest,
    DeleteTrainingPipelineRequest,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.pipeline_state_pb import PipelineState
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import TrainingPipeline
from trigpoint.core.pb.google.longrunning.operations_pb import Operation
from trigpoint.domains.training import checks, inputs, sentences
from trigpoint.domains.training.kinds import TRAINING_PIPELINE
from trigpoint.domains.training.rules import FINAL, Progress
from trigpoint.domains.training.work import Neighbours
from trigpoint.kernel.resource import Fact, Stored
from trigpoint.kernel.standard import Handler, Standard
from trigpoint.store import Tx

_SERVICE = "google.cloud.aiplatform.v1.PipelineService"


class Rpc:
    """The handlers of the API's methods on training pipelines."""

    def __init__(self, standard: Standard, neighbours: Neighbours) -> None:
        self._standard = standard
        self._kernel = standard.kernel
        self._datasets = neighbours.datasets
        self._jobs = neighbours.jobs
        self._models = neighbours.models

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by full method name."""
        return {
            **self._standard.handlers(TRAINING_PIPELINE, _SERVICE, "get", "list"),
            f"{_SERVICE}.CreateTrainingPipeline": self.create,
            f"{_SERVICE}.CancelTrainingPipeline": self.cancel,
            f"{_SERVICE}.DeleteTrainingPipeline": self.delete,
        }

    def create(self, call: Call, request: CreateTrainingPipelineRequest) -> TrainingPipeline:
        """Accept a pipeline, or refuse it with everything that is wrong with it."""
        given = request.training_pipeline or TrainingPipeline()
        refuse(checks.check(given))
        spec = inputs.custom_job_spec(given.training_task_inputs)
        self._jobs.check(spec, inputs.FIELD, call.project)
        if given.input_data_config is not None:
            self._datasets.check(request.parent, given.input_data_config)
        if given.model_to_upload is not None:
            self._models.check(
                request.parent, given.model_to_upload, parent_model=given.parent_model, model_id=given.model_id
            )
        pipeline = TrainingPipeline(
            display_name=given.display_name,
            input_data_config=given.input_data_config,
            training_task_definition=given.training_task_definition,
            training_task_inputs=inputs.canonical(spec),
            model_to_upload=given.model_to_upload,
            model_id=given.model_id,
            parent_model=given.parent_model,
            labels=dict(given.labels),
            encryption_spec=given.encryption_spec,
            state=PipelineState.PENDING,
        )
        fact = Fact("trainingPipeline.created", where="user")
        notes = asdict(Progress())
        return self._kernel.create(
            TRAINING_PIPELINE, request.parent, pipeline, notes=notes, wake=True, facts=(fact,), call=call
        ).message

    def cancel(self, call: Call, request: CancelTrainingPipelineRequest) -> Empty:
        """Ask for the end of a pipeline; FailedPrecondition when it has ended (vertex-training.md section 0 item 8)."""

        def edit(tx: Tx, stored: Stored[TrainingPipeline]) -> Stored[TrainingPipeline] | None:
            if stored.message.state in FINAL:
                raise _in_state(stored, sentences.NOT_CANCELED)
            if stored.notes.get("cancel"):
                return None
            message = messages.copy(stored.message)
            message.state = PipelineState.CANCELLING
            notes = {**stored.notes, "cancel": True}
            fact = Fact("trainingPipeline.cancelling", where="user")
            return self._kernel.save(
                tx, TRAINING_PIPELINE, stored, message, notes=notes, wake=True, facts=(fact,), call=call
            )

        self._kernel.change(TRAINING_PIPELINE, request.name, edit)
        return Empty()

    def delete(self, call: Call, request: DeleteTrainingPipelineRequest) -> Operation:
        """Delete a pipeline that has ended; neither its job nor its model is deleted with it."""

        def unit(tx: Tx) -> Operation:
            stored = self._kernel.load_in(tx, TRAINING_PIPELINE, request.name)
            if stored.message.state not in FINAL:
                raise _in_state(stored, sentences.NOT_DELETED)
            fact = Fact("trainingPipeline.deleted", where="user")
            self._kernel.drop(tx, TRAINING_PIPELINE, stored, facts=(fact,), call=call)
            return self._standard.operations.done(tx, call, request.name, Empty())

        return self._kernel.store.write(unit)


def _in_state(stored: Stored[TrainingPipeline], template: str) -> FailedPrecondition:
    return FailedPrecondition(template.format(name=stored.row.name, state=stored.row.state))
