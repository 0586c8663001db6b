"""Takes a custom job one step further: looks, asks the rules, does one thing, saves if nothing changed meanwhile."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from trigpoint.core import messages
from trigpoint.core.clock import SECOND, Micros
from trigpoint.core.errors import Aborted, TrigpointError
from trigpoint.core.names import id_of, project_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.core.pb.google.rpc.status_pb import Status
from trigpoint.domains.jobs import admission, failures, records, rules
from trigpoint.domains.jobs.failures import Ending
from trigpoint.domains.jobs.kinds import CUSTOM_JOB, LONE_JOB
from trigpoint.domains.jobs.launch import Launcher, Preparing
from trigpoint.domains.jobs.leavings import Leavings
from trigpoint.domains.jobs.queue import Queue
from trigpoint.domains.jobs.records import Replica
from trigpoint.domains.jobs.rules import Progress, Seen, Terms
from trigpoint.domains.logging import Logging, Stream
from trigpoint.domains.storage import Files
from trigpoint.kernel.reconcile import Again, Done, Outcome, Wait
from trigpoint.kernel.resource import Fact, Kernel, Stored
from trigpoint.runtime.engine import Engine, GangObservation, Placement
from trigpoint.store import Tx

_LOOK_EVERY = 3 * SECOND
"""How often the engine is asked about a gang that says nothing: bounds how long a lost agent goes unnoticed."""
_MOST_PATIENT = 10
"""How much more seldom a job far back in the queue looks for its place."""
_BUILD_LOOK = SECOND // 5
_SLICE_SECONDS = 1.0
"""How long one step takes up files of a job that is over, before others have their turn."""
_DEFAULT_TIMEOUT = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a job and its gang."""

    stored: Stored[CustomJob]
    progress: Progress
    replicas: tuple[Replica, ...]
    gang: GangObservation | None

    @property
    def uid(self) -> str:
        """The id of the current attempt."""
        return f"{id_of(self.stored.row.name)}-{self.progress.attempt}"

    def unknown(self, boot: str) -> bool:
        """Whether the attempt was written down and the engine never heard of it: a crash came between."""
        never_heard = all(replica.state == "PENDING" for replica in self.replicas)
        return never_heard and self.gang is not None and not self.gang.replicas and self._of(boot)

    def unstarted(self, boot: str) -> bool:
        """Whether agents of the attempt are still to be started: a crash came before all were, or the engine waits."""
        observed = self.gang.replicas.values() if self.gang is not None else ()
        pending = self._of(boot) and any(one.placement is Placement.PENDING for one in observed)
        return pending or self.unknown(boot)

    def _of(self, boot: str) -> bool:
        """Whether the attempt may be started in this boot of the engine."""
        return self.progress.phase == "launched" and self.progress.boot == boot

    def seen(self, boot: str) -> Seen:
        """Return what is known of the gang: the reports kept, and what the engine reads where reports are missing."""
        endings = {r.task: ending for r in self.replicas if (ending := r.ending()) is not None}
        started = {r.task for r in self.replicas if "RUNNING" in r.times}
        gone: set[str] = set()
        for replica in self.replicas:
            observed = self.gang.replicas.get(replica.task) if self.gang else None
            if replica.task in endings or self.gang is None or self.unknown(boot):
                continue
            if observed is not None and observed.status is not None and observed.status.outcome is not None:
                told = records.told(replica, observed.status)
                endings[replica.task] = told.ending() or Ending(replica.task, lost=True)
            elif self.gang.placement is Placement.GONE or (observed and observed.placement is Placement.GONE):
                gone.add(replica.task)
        return Seen(tuple(r.task for r in self.replicas), frozenset(started), endings, frozenset(gone))

    def ended(self) -> Micros:
        """Return when the last replica ended, by its agent's clock; 0 when that is not known of all."""
        times: list[Micros] = []
        for replica in self.replicas:
            observed = self.gang.replicas.get(replica.task) if self.gang else None
            told = records.told(replica, observed.status) if observed and observed.status else replica
            times.append(replica.times.get("ENDED", 0) or told.times.get("ENDED", 0))
        return max(times, default=0) if all(times) else 0


@dataclass(frozen=True)
class Surroundings:
    """The lower slices that a job leaves traces in."""

    files: Files
    logging: Logging


class Work:
    """The reconciler of custom jobs."""

    def __init__(
        self, kernel: Kernel, engine: Engine, queue: Queue, launcher: Launcher, surroundings: Surroundings
    ) -> None:
        self._files = surroundings.files
        self._logging = surroundings.logging
        self._kernel = kernel
        self._engine = engine
        self._queue = queue
        self._launcher = launcher
        self._sweeps: dict[str, Iterator[object]] = {}
        self._born = kernel.clock.now() - int(kernel.clock.monotonic() * SECOND)

    def step(self, name: str) -> Outcome:
        """Take one job one step further."""
        stored = self._kernel.find(CUSTOM_JOB, name)
        if stored is None or stored.message.state in rules.FINAL:
            return self._over(name, stored)
        sight = self._look(stored)
        if not sight.progress.cancel and self._launcher.deserted(name):
            return self._cancel(sight)
        step = rules.next_step(
            stored.message.state, sight.progress, sight.seen(self._engine.boot()), _terms(stored), self._steady()
        )
        match step:
            case rules.Admit():
                return self._admit(sight)
            case rules.Launch():
                return self._launch(sight)
            case rules.MarkRunning():
                return self._running(sight)
            case rules.Stop():
                return self._stop(sight, step)
            case rules.Restart():
                return self._restart(sight, step)
            case rules.End():
                return self._end(sight, step)
            case rules.Watch():
                return self._watch(sight, step.until)

    def _cancel(self, sight: Sight) -> Outcome:
        """Cancel a job whose project was deleted: nobody else could."""
        message = messages.copy(sight.stored.message)
        message.state = JobState.CANCELLING
        fact = Fact("customJob.cancelling", log="Job is cancelled: its project is deleted.")
        self._save(sight, message, replace(sight.progress, cancel=True), fact)
        return Again()

    def _steady(self) -> Micros:
        """Return the instant by a clock that nobody sets while we run: a job's time must not pass by a jump."""
        return self._born + int(self._kernel.clock.monotonic() * SECOND)

    def _look(self, stored: Stored[CustomJob]) -> Sight:
        progress = Progress(**stored.notes)
        if progress.phase in ("queued", "preparing"):
            return Sight(stored, progress, (), None)
        name, attempt = stored.row.name, progress.attempt
        replicas = tuple(self._kernel.store.read(lambda tx: records.of_attempt(tx, name, attempt)))
        uid = f"{id_of(name)}-{attempt}"
        return Sight(stored, progress, replicas, self._engine.observe([uid])[uid])

    def _admit(self, sight: Sight) -> Outcome:
        """Find a place, then provide what the job runs in, then launch; each wait has its reason."""
        stored, progress = sight.stored, sight.progress
        told: tuple[Fact, ...] = ()
        if progress.phase == "queued":
            verdict = self._queue.ask(stored)
            if isinstance(verdict, admission.Refused):
                return self._end(sight, rules.End(JobState.FAILED, Status(code=8, message=verdict.message)))
            if isinstance(verdict, admission.Queued):
                return self._queued(sight, verdict)
            if verdict.overcommit:
                said = f"Over-committed: {verdict.overcommit}."
                told = (Fact("customJob.overcommitted", {"detail": verdict.overcommit}, log=said),)
        try:
            ready = self._launcher.provide(stored)
        except TrigpointError as error:
            problem = Status(code=failures.INVALID_ARGUMENT, message=error.message)
            return self._end(sight, rules.End(JobState.FAILED, problem))
        if isinstance(ready, Preparing):
            return self._preparing(sight, ready, told)
        return self._launch(replace_progress(sight, replace(progress, environments=ready)), told)

    def _queued(self, sight: Sight, verdict: admission.Queued) -> Outcome:
        message = messages.copy(sight.stored.message)
        changed = message.state != JobState.QUEUED or sight.progress.reason != verdict.reason
        if changed:
            message.state = JobState.QUEUED
            fact = Fact(
                "customJob.queued",
                {"reason": verdict.reason, "ahead": verdict.ahead},
                log=f"Job is queued: {verdict.reason}",
            )
            self._save(sight, message, replace(sight.progress, reason=verdict.reason), fact)
        # Whoever leaves wakes the first; the others only look how far they have come.
        pause = _LOOK_EVERY * min(_MOST_PATIENT, 1 + verdict.ahead // 10)
        return Wait(self._kernel.clock.now() + pause, verdict.reason)

    def _preparing(self, sight: Sight, found: Preparing, told: tuple[Fact, ...]) -> Outcome:
        doing = found.doing
        if sight.progress.phase != "preparing" or sight.progress.reason != doing:
            message = messages.copy(sight.stored.message)
            message.state = JobState.PENDING
            data = {"reason": doing, "image": found.image}
            fact = Fact("customJob.preparing", data, log=f"Job is preparing. {doing}")
            self._save(sight, message, replace(sight.progress, phase="preparing", reason=doing), *told, fact)
        return Wait(self._kernel.clock.now() + _BUILD_LOOK, doing)

    def _launch(self, sight: Sight, told: tuple[Fact, ...] = ()) -> Outcome:
        """Write down the attempt and its replicas, then have the engine start them: never the other way round."""
        stored = sight.stored
        now = self._kernel.clock.now()
        begun = self._steady()
        progress = replace(sight.progress, phase="launched", launched=begun, reason="", boot=self._engine.boot())
        try:
            replicas, specs = self._launcher.plan(stored, progress)
        except TrigpointError as error:
            return self._end(sight, rules.End(JobState.FAILED, _refused(error)))
        message = messages.copy(stored.message)
        message.state = JobState.PENDING

        def unit(tx: Tx) -> Stored[CustomJob]:
            for replica in replicas:
                records.insert(tx, replica, now)
                self._launcher.admit(tx, replica)
                self._logging.open(tx, _stream(replica, now))
            data = {"attempt": sight.uid, "replicas": len(replicas), "tenant": replicas[0].tenant}
            fact = Fact("customJob.launched", data, where="tenant", log="Waiting for training program to start.")
            return self._kernel.save(tx, CUSTOM_JOB, stored, message, notes=asdict(progress), facts=(*told, fact))

        self._kernel.store.write(unit)
        self._engine.ensure(specs)
        return Wait(now + _LOOK_EVERY, "The replicas are starting.")

    def _watch(self, sight: Sight, until: Micros | None) -> Outcome:
        if sight.unstarted(self._engine.boot()):
            try:
                specs = self._launcher.plan(sight.stored, sight.progress)[1]
            except TrigpointError as error:
                return self._stop(sight, rules.Stop(JobState.FAILED, _refused(error)))
            self._engine.ensure(specs)
        if sight.progress.phase == "stopping":
            self._engine.stop(sight.uid, rules.GRACE_SECONDS)
        left = _LOOK_EVERY if until is None else min(until - self._steady(), _LOOK_EVERY)
        return Wait(self._kernel.clock.now() + left, "The replicas are running.")

    def _running(self, sight: Sight) -> Outcome:
        now = self._kernel.clock.now()
        message = messages.copy(sight.stored.message)
        message.state = JobState.RUNNING
        message.start_time = message.start_time or messages.timestamp(now)
        self._save(
            sight,
            message,
            replace(sight.progress, started=self._steady()),
            Fact("customJob.running", log="Job is running."),
            wake_parent=True,
        )
        return Again()

    def _stop(self, sight: Sight, step: rules.Stop) -> Outcome:
        """Write the verdict down first, so that a crash cannot change it; then stop what still runs."""
        error = step.error or Status()
        progress = replace(
            sight.progress, phase="stopping", verdict=int(step.verdict), error_code=error.code, error=error.message
        )
        message = messages.copy(sight.stored.message)
        if sight.seen(self._engine.boot()).all_over:
            outcome = self._end(replace_progress(sight, progress), rules.End(step.verdict, step.error))
            if not isinstance(outcome, Done):
                self._save(sight, message, progress)
            return outcome
        self._save(sight, message, progress, _stopping(step.verdict))
        self._engine.stop(sight.uid, step.grace_seconds)
        return Wait(self._kernel.clock.now() + SECOND, "The replicas are being stopped.")

    def _restart(self, sight: Sight, step: rules.Restart) -> Outcome:
        if not sight.seen(self._engine.boot()).all_over:
            self._engine.stop(sight.uid, rules.GRACE_SECONDS)
            return Wait(self._kernel.clock.now() + SECOND // 4, "The replicas are stopped before a restart.")
        counts = {f"{step.cause}_restarts": getattr(sight.progress, f"{step.cause}_restarts") + 1}
        progress = replace(
            sight.progress, phase="preparing", attempt=sight.progress.attempt + 1, started=0, launched=0, **counts
        )
        message = messages.copy(sight.stored.message)
        message.state = JobState.PENDING
        said = f"{step.why} The job is started again."
        fact = Fact("customJob.restarted", {"reason": step.why, "attempt": sight.uid}, log=said, severity="WARNING")

        def unit(tx: Tx) -> None:
            self._kernel.save(tx, CUSTOM_JOB, sight.stored, message, notes=asdict(progress), facts=(fact,))
            self._retire(tx, sight, self._kernel.clock.now())

        self._kernel.store.write(unit)
        self._engine.release(sight.uid)
        return Again()

    def _end(self, sight: Sight, step: rules.End) -> Outcome:
        """Store the final state once, with its error, and wake whoever waits for it."""
        now = self._kernel.clock.now()
        if not self._swept(sight):
            return Wait(now, "What the replicas wrote is being taken up.")
        message = messages.copy(sight.stored.message)
        message.state = step.verdict
        begun = [replica.times["RUNNING"] for replica in sight.replicas if "RUNNING" in replica.times]
        if message.start_time is None and begun:
            message.start_time = messages.timestamp(min(begun))
        earliest = messages.micros(message.start_time) if message.start_time else sight.stored.row.create_time
        message.end_time = messages.timestamp(max(min(sight.ended() or now, now), earliest))
        message.error = step.error
        fact = _ended(step)

        def unit(tx: Tx) -> None:
            progress = replace(sight.progress, phase="ended", reason="")
            self._kernel.save(tx, CUSTOM_JOB, sight.stored, message, notes=asdict(progress), facts=(fact,))
            records.close(tx, sight.replicas, sight.gang, now)
            self._retire(tx, sight, now)
            self._wake_parent(tx, progress)
            if not progress.parent:
                self._kernel.wake(tx, LONE_JOB, sight.stored.row.name)

        self._kernel.store.write(unit)
        self._engine.release(sight.uid)
        self._queue.left(sight.stored.row.name)
        return Done()

    def _retire(self, tx: Tx, sight: Sight, now: Micros) -> None:
        """Close what an attempt that is over had open: its records, its identities, its logs."""
        records.close(tx, sight.replicas, sight.gang, now)
        self._launcher.retire(tx, sight.uid)
        self._logging.close(tx, sight.uid, now)

    def _swept(self, sight: Sight) -> bool:
        """Take up what the replicas wrote through /gcs; return whether that is done.

        It is done in slices of time: a job that leaves a million files must not keep others from ending.
        """
        steps = self._sweeps.pop(sight.uid, None) or self._leavings(sight).take_up()
        enough = self._kernel.clock.monotonic() + _SLICE_SECONDS
        for _ in steps:
            if self._kernel.clock.monotonic() > enough:
                self._sweeps[sight.uid] = steps
                return False
        return True

    def _leavings(self, sight: Sight) -> Leavings:
        spec = sight.stored.message.job_spec
        output = spec.base_output_directory.output_uri_prefix if spec and spec.base_output_directory else ""
        return Leavings(self._kernel.store, self._files, sight.stored.row.name, output)

    def _over(self, name: str, stored: Stored[CustomJob] | None) -> Outcome:
        """A job that ended or was deleted: make sure that nothing of it still runs."""
        self._queue.left(name)
        if stored is not None:
            uid = f"{id_of(name)}-{Progress(**stored.notes).attempt}"
            if self._engine.observe([uid])[uid].placement is Placement.PLACED:
                self._engine.stop(uid, rules.GRACE_SECONDS)
                return Wait(self._kernel.clock.now() + SECOND, "The last replicas are being stopped.")
            self._sweeps.pop(uid, None)
            self._engine.release(uid)
        return Done()

    def _save(
        self, sight: Sight, message: CustomJob, progress: Progress, *facts: Fact, wake_parent: bool = False
    ) -> None:
        def unit(tx: Tx) -> None:
            self._kernel.save(tx, CUSTOM_JOB, sight.stored, message, notes=asdict(progress), facts=facts)
            if wake_parent:
                self._wake_parent(tx, progress)

        self._kernel.store.write(unit)

    def _wake_parent(self, tx: Tx, progress: Progress) -> None:
        if progress.parent:
            self._kernel.wake(tx, progress.parent[0], progress.parent[1])


def _stopping(verdict: JobState) -> Fact:
    return Fact("customJob.stopping", {"verdict": verdict.name}, log="Tearing down training program.")


def _ended(step: rules.End) -> Fact:
    kind = f"customJob.{step.verdict.name.lower()}"
    if step.error is None:
        return Fact(kind, log="Job completed successfully.")
    return Fact(kind, {"error": step.error.message}, log=step.error.message, severity="ERROR")


def _stream(replica: Replica, now: Micros) -> Stream:
    return Stream(project_of(replica.job), replica.job, id_of(replica.job), replica.task, replica.uid, now)


def replace_progress(sight: Sight, progress: Progress) -> Sight:
    """Return the same look with other bookkeeping."""
    return replace(sight, progress=progress)


def _terms(stored: Stored[CustomJob]) -> Terms:
    scheduling = stored.message.job_spec.scheduling if stored.message.job_spec else None
    timeout = messages.seconds(scheduling.timeout) if scheduling and scheduling.timeout else _DEFAULT_TIMEOUT
    retries = not (scheduling and scheduling.disable_retries)
    return Terms(project_of(stored.row.name), id_of(stored.row.name), timeout, retries)


def _refused(error: TrigpointError) -> Status:
    """Return why a job can't be started; raises what another try may mend."""
    if error.http >= 500 or isinstance(error, Aborted):
        raise error
    return Status(code=error.code, message=error.message)
