"""JobService's custom jobs: what is accepted and how it is stored. What happens to a job then is `work`'s."""

from collections.abc import Mapping
from dataclasses import asdict

from trigpoint.core import checks, messages
from trigpoint.core.call import Call
from trigpoint.core.errors import FailedPrecondition, ResourceExhausted
from trigpoint.core.messages import Empty
from trigpoint.core.names import project_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob, CustomJobSpec
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_service_pb import (
    CancelCustomJobRequest,
    CreateCustomJobRequest,
    DeleteCustomJobRequest,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.core.pb.google.longrunning.operations_pb import Operation
from trigpoint.domains.jobs import sentences, specs, unheeded
from trigpoint.domains.jobs.kinds import AWAITED, CUSTOM_JOB
from trigpoint.domains.jobs.launch import Accounts
from trigpoint.domains.jobs.queue import Queue
from trigpoint.domains.jobs.rules import FINAL, Progress
from trigpoint.domains.jobs.specs import Known
from trigpoint.domains.jobs.work import Surroundings
from trigpoint.kernel.resource import Fact, Stored
from trigpoint.kernel.standard import Handler, Standard
from trigpoint.store import Tx, refs

_SERVICE = "google.cloud.aiplatform.v1.JobService"


class Rpc:
    """The handlers of the API's methods on custom jobs."""

    def __init__(
        self, standard: Standard, queue: Queue, known: Known, accounts: Accounts, surroundings: Surroundings
    ) -> None:
        self._standard = standard
        self._kernel = standard.kernel
        self._queue = queue
        self._known = known
        self._accounts = accounts
        self._logging = surroundings.logging
        self._files = surroundings.files

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by full method name."""
        return {
            **self._standard.handlers(CUSTOM_JOB, _SERVICE, "get", "list"),
            f"{_SERVICE}.CreateCustomJob": self.create,
            f"{_SERVICE}.CancelCustomJob": self.cancel,
            f"{_SERVICE}.DeleteCustomJob": self.delete,
        }

    def create(self, call: Call, request: CreateCustomJobRequest) -> CustomJob:
        """Accept a job, or refuse it with everything that is wrong with it."""
        job = request.custom_job or CustomJob()
        checks.refuse(specs.check(job, self._known))
        assert job.job_spec is not None
        self.examine(job.job_spec, "custom_job.job_spec", call.project)
        refused = self._queue.refusal(job)
        if refused is not None:
            raise ResourceExhausted(refused.message)
        return self.accept(request.parent, job, call=call).message

    def examine(self, spec: CustomJobSpec, path: str, project: str) -> None:
        """Refuse a well-formed specification whose bucket or account is not there or not the project's."""
        output = spec.base_output_directory.output_uri_prefix if spec.base_output_directory else ""
        if output:
            self._files.refuse_absent(project, output, f"{path}.base_output_directory.output_uri_prefix")
        self._accounts.acts_as(project, spec.service_account)

    def accept(
        self,
        parent: str,
        job: CustomJob,
        *,
        call: Call | None = None,
        ident: str = "",
        progress: Progress | None = None,
    ) -> Stored[CustomJob]:
        """Store a checked job as PENDING with its work item."""
        fresh = CustomJob(
            display_name=job.display_name,
            job_spec=job.job_spec,
            labels=dict(job.labels),
            encryption_spec=job.encryption_spec,
            state=JobState.PENDING,
        )
        created = Fact("customJob.created", where="user", log="Waiting for job to be provisioned.")
        facts = (created, *(_in_vain(field, instead) for field, instead in unheeded.fields(job)))
        notes = asdict(progress or Progress())
        name = f"{parent}/{CUSTOM_JOB.collection}/{ident or self._kernel.ids.number()}"

        def unit(tx: Tx) -> Stored[CustomJob]:
            made = self._kernel.insert(tx, CUSTOM_JOB, name, fresh, notes=notes, wake=True, facts=facts, call=call)
            if progress is not None and progress.parent:
                refs.add(tx, progress.parent[1], name, AWAITED)
            self._logging.announce(tx, project_of(name), name, self._kernel.clock.now())
            return made

        return self._kernel.store.write(unit)

    def cancel(self, call: Call, request: CancelCustomJobRequest) -> Empty:
        """Ask for the end of a job; FailedPrecondition when it has ended (vertex-training.md section 3.11)."""
        self._kernel.change(CUSTOM_JOB, request.name, lambda tx, stored: self._cancel(tx, stored, call))
        return Empty()

    def cancel_if_live(self, name: str) -> None:
        """Ask for the end of a job on behalf of its parent; nothing happens when it has ended."""

        def edit(tx: Tx, stored: Stored[CustomJob]) -> Stored[CustomJob] | None:
            return None if stored.message.state in FINAL else self._cancel(tx, stored, None)

        self._kernel.change(CUSTOM_JOB, name, edit)

    def delete(self, call: Call, request: DeleteCustomJobRequest) -> Operation:
        """Delete a job that has ended and that nobody awaits; its records and logs stay until retention takes them."""

        def unit(tx: Tx) -> Operation:
            stored = self._kernel.load_in(tx, CUSTOM_JOB, request.name)
            if stored.message.state not in FINAL:
                raise _in_state(stored, sentences.NOT_DELETED)
            for ref in refs.users(tx, request.name, AWAITED):
                raise FailedPrecondition(sentences.AWAITED.format(name=request.name, user=ref.user))
            self._kernel.drop(tx, CUSTOM_JOB, stored, facts=(Fact("customJob.deleted", where="user"),), call=call)
            return self._standard.operations.done(tx, call, request.name, Empty())

        return self._kernel.store.write(unit)

    def _cancel(self, tx: Tx, stored: Stored[CustomJob], call: Call | None) -> Stored[CustomJob] | None:
        if stored.message.state in FINAL:
            raise _in_state(stored, sentences.NOT_CANCELED)
        progress = Progress(**stored.notes)
        if progress.cancel:
            return None
        message = messages.copy(stored.message)
        message.state = JobState.CANCELLING
        notes = {**stored.notes, "cancel": True}
        fact = Fact("customJob.cancelling", where="user", log="Job is cancelled by the user.")
        return self._kernel.save(tx, CUSTOM_JOB, stored, message, notes=notes, wake=True, facts=(fact,), call=call)


def _in_vain(field: str, instead: str) -> Fact:
    said = f"{field} has no effect here: {instead}"
    return Fact("customJob.unheeded", {"field": field, "detail": instead}, log=said, severity="WARNING")


def _in_state(stored: Stored[CustomJob], template: str) -> FailedPrecondition:
    return FailedPrecondition(template.format(name=stored.row.name, state=stored.row.state))
