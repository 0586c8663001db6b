"""What jobs live in: a real store, and an engine that misbehaves on request; the test plays the agents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trigpoint.agent.protocol import Outcome
from trigpoint.core.call import Call
from trigpoint.core.clock import SystemClock
from trigpoint.core.messages import Oneof
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJob,
    CustomJobSpec,
    WorkerPoolSpec,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_service_pb import (
    CancelCustomJobRequest,
    CreateCustomJobRequest,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.machine_resources_pb import MachineSpec
from trigpoint.domains.identity import Identity
from trigpoint.domains.jobs import Jobs, reports
from trigpoint.domains.projects import Projects
from trigpoint.domains.storage import Storage
from trigpoint.kernel.reconcile import Again
from trigpoint.kernel.reconcile import Outcome as StepOutcome
from trigpoint.kernel.recorder import Recorder
from trigpoint.kernel.resource import Kernel
from trigpoint.runtime.fake import FakeEngine
from trigpoint.store import events

SECRET = b"s" * 32
IMAGE = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"


class Hands(SystemClock):
    """The machine's clock, which tests set and whose seconds they let pass."""

    ahead = 0
    passed = 0.0

    def wall(self) -> int:
        return super().wall() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.passed


class Shelf:
    """Images that are there at once, or are being built while `building` says so."""

    building = ""

    def problem(self, image: str) -> str:
        return "" if image == IMAGE else f"{image!r} is unknown"

    def provide(self, image: str) -> Mapping[str, Any] | str:
        return self.building or {"environment": {"path": "/env", "python": "3.10", "key": "k"}, "python": "3.10"}


@dataclass
class World:
    kernel: Kernel
    jobs: Jobs
    engine: FakeEngine
    shelf: Shelf
    call: Call
    recorder: Recorder
    storage: Storage
    projects: Projects
    identity: Identity

    def create(self, replicas: int = 1, **spec: Any) -> str:
        def pool(count: int) -> WorkerPoolSpec:
            container = ContainerSpec(image_uri=IMAGE, command=["python3", "-c", "1"])
            return WorkerPoolSpec(
                machine_spec=MachineSpec(machine_type="n1-standard-4"),
                replica_count=count,
                task=Oneof(field="container_spec", value=container),
            )

        pools = [pool(1)] + ([pool(replicas - 1)] if replicas > 1 else [])
        job = CustomJob(display_name="j", job_spec=CustomJobSpec(worker_pool_specs=pools, **spec))
        parent = f"projects/{self.call.project}/locations/us-central1"
        handler = self.jobs.handlers()["google.cloud.aiplatform.v1.JobService.CreateCustomJob"]
        return str(handler(self.call, CreateCustomJobRequest(parent=parent, custom_job=job)).name)

    def cancel(self, name: str) -> None:
        handler = self.jobs.handlers()["google.cloud.aiplatform.v1.JobService.CancelCustomJob"]
        handler(self.call, CancelCustomJobRequest(name=name))

    def step(self, name: str) -> StepOutcome:
        """Step until there is nothing to do at once."""
        outcome: StepOutcome = Again()
        while isinstance(outcome, Again):
            outcome = self.jobs.reconcilers()["customJobs"](name)
        return outcome

    def job(self, name: str) -> CustomJob:
        found = self.jobs.find(name)
        assert found is not None
        return found.message

    def say(
        self,
        uid: str,
        task: str,
        *kinds: str,
        outcome: Outcome | None = None,
        seq: int = 1,
        time: int = 5,
        files: list[Any] | None = None,
    ) -> Any:
        """Report, as an agent; with `files` as one that watches them."""
        bodies: dict[str, Any] = {"prepared": {"address": {"host": f"h-{task}", "ip": "127.0.0.9", "ports": {}}}}
        bodies["started"] = {"watched": files is not None}
        if outcome is not None:
            bodies["outcome"] = {"reason": outcome.reason, "exit_code": outcome.exit_code, "tail": outcome.tail}
            bodies["outcome"] |= {"watched": True, "files": files} if files is not None else {}
        said = [{"seq": seq + i, "kind": k, "time": time, "body": bodies.get(k, {})} for i, k in enumerate(kinds)]
        return self.jobs.reports.take(uid, task, reports.token(SECRET, uid, task), {"fence": 1, "reports": said})

    def told(self, name: str) -> list[str]:
        return [event.kind for event in self.kernel.store.read(lambda tx: events.after(tx, 0, 1000, name))]


def uid_of(name: str, attempt: int = 1) -> str:
    return f"{name.rsplit('/', 1)[-1]}-{attempt}"
