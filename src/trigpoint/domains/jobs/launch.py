"""Turns a job's worker pools into what an engine starts: specs of replicas, with their environment and identity.

Nothing is started here and nothing is written: `work` does both, in the order that a crash cannot spoil.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trigpoint.agent import protocol
from trigpoint.core.errors import PermissionDenied
from trigpoint.core.names import id_of, location_of, project_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJob,
    PythonPackageSpec,
    WorkerPoolSpec,
)
from trigpoint.domains.identity import Account
from trigpoint.domains.identity import Replica as Identified
from trigpoint.domains.jobs import cluster, reports
from trigpoint.domains.jobs.admission import Machines
from trigpoint.domains.jobs.cluster import Seat
from trigpoint.domains.jobs.records import Replica
from trigpoint.domains.jobs.rules import GRACE_SECONDS, Progress
from trigpoint.kernel.resource import Stored
from trigpoint.runtime.engine import GangSpec
from trigpoint.store import Tx


class Images(Protocol):
    """What makes an image name something that runs here (`runtime.images` and `runtime.environments`)."""

    def problem(self, image: str) -> str:
        """Return an empty string, or what is wrong with the name and what to do."""
        ...

    def provide(self, image: str) -> Mapping[str, Any] | str:
        """Return a built environment (`environment` as protocol.Environment's members, and facts), or what is being
        done to get it. InvalidArgument when it can't be had. Returns at once; call again."""
        ...


class Identities(Protocol):
    """Who of the replicas may act."""

    def begin(self, tx: Tx, replica: Identified) -> None:
        """Let a replica act from this transaction on."""
        ...

    def end(self, tx: Tx, attempt: str) -> None:
        """End every replica of an attempt."""
        ...


class Accounts(Protocol):
    """What the jobs need of the identity slice."""

    def acts_as(self, project: str, service_account: str = "") -> Account:
        """Return the account that training code of a project runs as."""
        ...

    @property
    def replicas(self) -> Identities:
        """Return the book of living replicas."""
        ...


@dataclass(frozen=True)
class Places:
    """Where things are on this machine, and how replicas reach the server; fixed for a server's life."""

    reports: Path
    """The server's report socket."""
    doors: Path
    """Folder of the replicas' own sockets."""
    ca_file: Path
    hide: tuple[Path, ...]
    hosts: tuple[str, ...]
    """Host names that the server stands in for."""
    runtime: str
    """sandbox or process."""
    outbound: bool
    secret: bytes
    tenant: Callable[[str], str]
    """Project number -> id of its tenant project; PermissionDenied when the project is deleted."""
    buckets: Callable[[str], Mapping[str, Path]]
    """Project number -> its buckets and their directories."""
    proxy: Callable[[str], Mapping[str, str]]
    """Variables that point a program without a sandbox at the server; given its metadata server's address."""

    def door(self, uid: str, task: str) -> Path:
        """Return the unix socket of one replica."""
        return self.doors / f"{uid}-{task}" / "net.sock"


@dataclass(frozen=True, slots=True)
class Preparing:
    """An image that is not there yet, and what is being done to get it."""

    image: str
    doing: str


class Launcher:
    """Plans attempts. Thread-safe, pure but for reading the environments."""

    def __init__(self, images: Images, accounts: Accounts, machines: Machines, places: Places) -> None:
        self._images = images
        self._accounts = accounts
        self._machines = machines
        self._places = places

    def provide(self, stored: Stored[CustomJob]) -> dict[str, Any] | Preparing:
        """Return the environment of every image of a job by its name, or what is being done to get them."""
        found: dict[str, Any] = {}
        for pool in _pools(stored.message):
            image = image_of(pool)
            built = self._images.provide(image)
            if isinstance(built, str):
                return Preparing(image, built)
            found[image] = dict(built)
        return found

    def deserted(self, name: str) -> bool:
        """Return whether a job's project was deleted."""
        try:
            self._places.tenant(project_of(name))
        except PermissionDenied:
            return True
        return False

    def plan(self, stored: Stored[CustomJob], progress: Progress) -> tuple[list[Replica], GangSpec]:
        """Return the records and the specs of one attempt; the same for the same progress, but for chosen ports.

        PermissionDenied when the account that it runs as is not there any more.
        """
        job, name = stored.message, stored.row.name
        assert job.job_spec is not None
        uid = f"{id_of(name)}-{progress.attempt}"
        account = self._accounts.acts_as(project_of(name), job.job_spec.service_account)
        everyone = cluster.seats(job.job_spec, reports.token(self._places.secret, uid, "")[:10])
        replicas = [self._record(stored, progress, uid, seat, everyone, account) for seat in everyone]
        specs = tuple(self._spec(stored, progress, replica, everyone) for replica in replicas)
        return replicas, GangSpec(uid, specs, boot=progress.boot)

    def admit(self, tx: Tx, replica: Replica) -> None:
        """Let a replica act under its identity for as long as its attempt lives."""
        identity = Identified(
            name=replica.name,
            attempt=replica.uid,
            project=project_of(replica.job),
            account=replica.identity,
            tenant=replica.tenant,
            location=location_of(replica.job),
            host=replica.host,
        )
        self._accounts.replicas.begin(tx, identity)

    def retire(self, tx: Tx, uid: str) -> None:
        """End the identities of an attempt: their tokens die."""
        self._accounts.replicas.end(tx, uid)

    def _record(
        self,
        stored: Stored[CustomJob],
        progress: Progress,
        uid: str,
        seat: Seat,
        everyone: list[Seat],
        account: Account,
    ) -> Replica:
        spec = stored.message.job_spec
        assert spec is not None
        pool = spec.worker_pool_specs[seat.pool]
        variables = self._variables(stored, progress, pool)
        if len(everyone) == 1:
            own = {seat.task: f"{seat.host}:{cluster.PORT}"}
            master = (seat.host, str(cluster.MASTER_PORT))
            variables |= cluster.cluster_variables(spec, everyone, seat, own, master)
        return Replica(
            job=stored.row.name,
            uid=uid,
            task=seat.task,
            pool=seat.pool,
            index=seat.index,
            rank=seat.rank,
            host=seat.host,
            machine_type=pool.machine_spec.machine_type if pool.machine_spec else "",
            image=image_of(pool),
            identity=account.email,
            tenant=self._places.tenant(project_of(stored.row.name)),
            metadata=_loopback(uid, seat.task, self._places.secret) if self._places.runtime == "process" else "",
            environment={k: v for k, v in progress.environments[image_of(pool)].items() if k != "environment"},
            variables=variables,
            command=command_of(pool),
        )

    def _variables(self, stored: Stored[CustomJob], progress: Progress, pool: WorkerPoolSpec) -> dict[str, str]:
        """Return what a program sees before its cluster is known, the user's own variables last."""
        job = stored.message
        assert job.job_spec is not None
        output = job.job_spec.base_output_directory
        name = stored.row.name
        known = {
            "CLOUD_ML_PROJECT_ID": project_of(name),
            "CLOUD_ML_JOB_ID": id_of(name),
            "CLOUD_ML_REGION": location_of(name),
            **cluster.output_variables(output.output_uri_prefix if output else ""),
            **progress.variables,
        }
        for variable in pool.task.value.env if pool.task else ():
            known[variable.name] = protocol.expand(variable.value, known)
        return known

    def _spec(
        self, stored: Stored[CustomJob], progress: Progress, replica: Replica, everyone: list[Seat]
    ) -> protocol.RunSpec:
        assert stored.message.job_spec is not None
        places = self._places
        pool = stored.message.job_spec.worker_pool_specs[replica.pool]
        process = places.runtime == "process"
        return protocol.RunSpec(
            attempt=replica.uid,
            replica=replica.task,
            token=reports.token(places.secret, replica.uid, replica.task),
            hostname=replica.host,
            program=_program(pool, replica.variables),
            env={**(places.proxy(replica.metadata) if process else {}), **replica.variables},
            environment=_environment(progress.environments[replica.image]),
            image=replica.image,
            packages=tuple(protocol.Package(uri=uri) for uri in _packages(pool)),
            buckets={bucket: str(path) for bucket, path in places.buckets(project_of(replica.job)).items()},
            hide=tuple(str(path) for path in places.hide),
            network=protocol.Network(
                socket=str(places.door(replica.uid, replica.task)),
                hosts=places.hosts,
                peers=tuple(seat.host for seat in everyone),
                rank=replica.rank,
                outbound=places.outbound,
            ),
            limits=self._limits(pool),
            runtime=places.runtime,
            barrier=len(everyone) > 1,
            grace_s=GRACE_SECONDS,
            ca_file=str(places.ca_file),
            reports=str(places.reports),
        )

    def _limits(self, pool: WorkerPoolSpec) -> protocol.Limits:
        machine = self._machines.get(pool.machine_spec.machine_type) if pool.machine_spec else None
        if machine is None:
            return protocol.Limits(processes=4096)
        return protocol.Limits(cpus=machine.cpus, memory_bytes=machine.memory_bytes, processes=4096)


def image_of(pool: WorkerPoolSpec) -> str:
    """Return the image that a pool runs in."""
    assert pool.task is not None
    spec = pool.task.value
    return spec.executor_image_uri if isinstance(spec, PythonPackageSpec) else spec.image_uri


def command_of(pool: WorkerPoolSpec) -> list[str]:
    """Return what a pool runs, as its user gave it."""
    assert pool.task is not None
    spec = pool.task.value
    return [spec.python_module, *spec.args] if isinstance(spec, PythonPackageSpec) else [*spec.command, *spec.args]


def _pools(job: CustomJob) -> list[WorkerPoolSpec]:
    return [pool for pool in (job.job_spec.worker_pool_specs if job.job_spec else []) if pool.task is not None]


def _packages(pool: WorkerPoolSpec) -> list[str]:
    spec = pool.task.value if pool.task else None
    return list(spec.package_uris) if isinstance(spec, PythonPackageSpec) else []


def _program(pool: WorkerPoolSpec, variables: Mapping[str, str]) -> protocol.Program:
    spec = pool.task.value if pool.task else None
    if isinstance(spec, PythonPackageSpec):
        return protocol.Program(module=spec.python_module, args=tuple(spec.args))
    assert isinstance(spec, ContainerSpec)
    return protocol.Program(argv=(*spec.command, *spec.args))


def _environment(built: Mapping[str, Any]) -> protocol.Environment:
    return protocol.Environment(**built["environment"])


def _loopback(uid: str, task: str, secret: bytes) -> str:
    """Return the unguessable address of a plain process's metadata server; the same after a restart of the server."""
    digest = bytes.fromhex(reports.token(secret, uid, f"metadata:{task}"))
    host = f"127.{1 + digest[0] % 254}.{digest[1]}.{1 + digest[2] % 254}"
    return f"{host}:{20_000 + int.from_bytes(digest[3:5]) % 40_000}"
