"""READ FIRST: builds each part once, hands it to those who need it, starts them, and stops them in reverse.

`python -m trigpoint.server serve` serves a home; its other verbs are upkeep (`trigpoint.upkeep`).
"""

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
import uvicorn
import uvloop

from trigpoint import __version__, served, settings, upkeep
from trigpoint.console import Console
from trigpoint.console import Parts as ConsoleParts
from trigpoint.core import ready
from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.core.errors import TrigpointError
from trigpoint.core.paging import Tokens
from trigpoint.core.ready import Ready
from trigpoint.core.status import status_bytes
from trigpoint.domains.datasets import Datasets
from trigpoint.domains.identity import Identity
from trigpoint.domains.identity.credentials import CredentialsApi
from trigpoint.domains.identity.rpc import IamApi
from trigpoint.domains.jobs import Jobs, Places, Replica
from trigpoint.domains.jobs import Parts as JobParts
from trigpoint.domains.jobs.offers import Catalogue, Types
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.logging import Logging
from trigpoint.domains.models import Models
from trigpoint.domains.projects import Projects
from trigpoint.domains.projects.rpc import ProjectsApi
from trigpoint.domains.storage import Storage
from trigpoint.domains.training import Neighbours, Training
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Queries
from trigpoint.kernel.recorder import Recorder
from trigpoint.kernel.resource import Kernel
from trigpoint.kernel.schedule import Schedule
from trigpoint.kernel.standard import Handler, Standard
from trigpoint.runtime.environments import Environments
from trigpoint.runtime.local import LocalEngine, LocalOptions, index_settings
from trigpoint.settings import Settings, SettingsError
from trigpoint.store import Store
from trigpoint.surfaces import agents
from trigpoint.surfaces import identity as identity_surface
from trigpoint.surfaces.front import Authority, Front, FrontOptions, Outbound
from trigpoint.surfaces.gcs import GcsApp, Signer, Threads, rpc_table
from trigpoint.surfaces.vertex import Parts as VertexParts
from trigpoint.surfaces.vertex import Vertex
from trigpoint.workers import Workers

log = structlog.get_logger(__name__)

_TICK_SECONDS = 2.0
_INLINE = ("JobService.GetCustomJob", "PipelineService.GetTrainingPipeline", "DatasetService.GetDataset")


class Server:
    """One home, served. `run` returns when a signal asked for the end and everything was put away."""

    def __init__(self, given: Settings) -> None:
        self._settings = given
        self.serving = False
        self._clock, self._ids = SystemClock(), SystemIds()
        for folder in ("run", "keys", "logs", "attempts", "environments"):
            given.path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = Store.open(given.database_url, given.telemetry_url)
        self._schedule = Schedule()
        self._kernel = Kernel(self._store, self._clock, self._ids, self._schedule)
        self._secret = upkeep.secret(given.path("keys", "server.secret"))
        tokens = self._tokens = Tokens(self._secret)
        operations, queries = Operations(self._kernel, tokens), Queries(self._kernel, tokens)
        standard = Standard(self._kernel, operations, queries)
        self._operations = operations

        self._projects = Projects(self._store, self._clock, self._ids)
        self._project = self._projects.ensure(given.project)
        self._identity = Identity(self._store, self._clock, self._ids, self._projects, given.path("keys"))
        self._key_file = self._identity.prepare_operator(given.project)
        self._recorder = Recorder(self._store, self._clock)
        self._storage = self._make_storage()
        self._authority = Authority.open(given.path("keys", "ca"), self._clock)
        self._bundle = self._authority.write_bundle(given.path("run", "ca-bundle.pem"))

        self._environments = Environments(given.path("environments"))
        self._engine = LocalEngine(given.path("attempts"), self._engine_options())
        self._logging = Logging(self._store, given.path("attempts"), tokens, self._known_number, self._id_of)
        lineage = Lineage(self._kernel, operations, queries)
        files = self._storage.files
        self._datasets = Datasets(self._kernel, operations, standard, lineage, files, given.home)
        self._models = models = Models(self._kernel, operations, queries, lineage, files)
        self._places = self._make_places()
        self._jobs = Jobs(
            JobParts(
                standard=standard,
                engine=self._engine,
                images=Catalogue(self._environments),
                accounts=self._identity,
                files=files,
                logging=self._logging,
                machines=Types(),
                host=upkeep.host(given),
                places=self._places,
                recorder=self._recorder,
            )
        )
        self._training = Training(standard, Neighbours(self._datasets, self._jobs, models, lineage, self._storage))
        self._slices = (self._jobs, self._training, self._datasets, models, lineage)
        reconcilers = {**self._jobs.reconcilers(), **self._training.reconcilers()}
        self._workers = Workers(self._store, self._schedule, self._clock, reconcilers)
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="surface")
        self._vertex = Vertex(self._vertex_parts())
        self._threads = Threads()
        self._front = self._make_front()
        self._agents = uvicorn.Server(self._agents_config())

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._storage.start()
        self._recorder.start()
        replicas = self._jobs.recover()
        shutil.rmtree(self._places.doors, ignore_errors=True)  # of a server that was killed
        await self._front.start()
        for replica in replicas:
            await self._open_doors(replica.uid, replica.task)
        agents_task = asyncio.create_task(self._agents.serve())
        ticking = asyncio.create_task(self._tick())
        gc.freeze()
        ports = {"port": self._front.address[1], "proxy_port": self._front.proxy_address[1]}
        upkeep.keep_ports(self._settings.path("run"), ports)
        self._announce().write(self._settings.path("run"))
        self.serving = True
        log.info("serving", port=self._front.address[1], proxy=self._front.proxy_address[1], home=self._settings.home)
        await loop.run_in_executor(self._pool, self._begin_work)
        await stop.wait()
        ready.withdraw(self._settings.path("run"))
        ticking.cancel()
        self._vertex.drain()
        self._console.drain()
        await self._front.stop()
        self._agents.should_exit = True
        await asyncio.gather(agents_task, ticking, return_exceptions=True)
        await loop.run_in_executor(None, self._put_away)

    def _begin_work(self) -> None:
        """Let go of attempts that no row remembers (a restored backup leaves some), then take up the work."""
        found = [path.name for path in self._settings.path("attempts").iterdir()]
        self._engine.sweep({uid for uid in found if self._jobs.replica(uid, "workerpool0-0") is not None})
        self._workers.start()

    def _put_away(self) -> None:
        self._workers.stop()
        self._environments.close()
        self._vertex.close()
        self._console.close()
        self._pool.shutdown()
        self._threads.close()
        self._datasets.close()
        self._engine.close()
        try:
            self._storage.close()
        except TrigpointError as error:
            log.warning("upkeep of storage failed", reason=error.message)  # the next start does what is due
        self._recorder.close()
        self._store.close()
        log.info("stopped")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await asyncio.get_running_loop().run_in_executor(self._pool, self._storage.tick)
            except TrigpointError as error:
                log.warning("upkeep of storage failed", reason=error.message)
            for name in self._front.replicas():
                if self._identity.replica(name) is None:
                    await self._front.close_replica(name)

    def _engine_options(self) -> LocalOptions:
        given = self._settings
        return LocalOptions(
            runtime=given.runtime,
            layers=str(self._environments.layers),
            uv=upkeep.uv(),
            hide=(str(given.home),),
            install_env=index_settings(os.environ),
            allow=given.tunnel_allow,
        )

    def _make_storage(self) -> Storage:
        given, parts = self._settings, (self._clock, self._ids, self._number)
        return Storage(self._store, given.home, *parts, location=given.location.upper(), recorder=self._recorder)

    def _make_places(self) -> Places:
        given = self._settings
        return Places(
            reports=given.path("run", "agents.sock"),
            doors=given.path("run", "replicas"),
            ca_file=self._bundle,
            hide=(given.home,),
            hosts=upkeep.google_hosts(given.locations),
            runtime=self._engine.runtime,
            outbound=given.outbound,
            secret=self._secret,
            tenant=lambda number: self._projects.resolve(number).tenant,
            buckets=self._storage.files.trees,
            proxy=self._plain_variables,
        )

    def _plain_variables(self, metadata: str) -> Mapping[str, str]:
        return served.variables(self._front.address[1], self._front.proxy_address[1], metadata)

    def _vertex_parts(self) -> VertexParts:
        handlers: dict[str, Handler] = dict(self._logging.handlers())
        for part in self._slices:
            handlers.update(part.handlers())
        sqlite = self._settings.database_url.startswith("sqlite")
        return VertexParts(
            handlers=handlers,
            prover=self._identity,
            projects=self._known_number,
            locations=self._settings.locations,
            store=self._store,
            operations=self._operations,
            clock=self._clock,
            inline=frozenset(f"google.cloud.aiplatform.v1.{name}" for name in _INLINE) if sqlite else frozenset(),
            held_reads=self._settings.held_reads,
        )

    def _make_front(self) -> Front:
        given, identity = self._settings, self._identity
        projects = ProjectsApi(self._projects, identity.prepare)
        iam = IamApi(identity, self._projects)
        gcs = GcsApp(
            self._storage,
            self._clock,
            self._threads,
            identity.authenticate,
            recall=identity.recall,
            signers=self._signer,
        )
        self._console = self._make_console(gcs)
        apps = {
            "vertex": self._vertex.app,
            "console": self._console.app,
            "gcs": gcs,
            "oauth": identity_surface.OAuthApp(identity, self._pool),
            "iam": identity_surface.IamApp(identity, iam.handlers(), self._pool),
            "credentials": identity_surface.CredentialsApp(
                identity, CredentialsApi(identity, iam).handlers(), self._pool
            ),
            "projects": identity_surface.ResourceManagerApp(identity, projects.handlers(), self._pool),
        }
        rpcs = {
            **self._vertex.rpcs,
            **rpc_table(self._storage, self._threads, identity.authenticate),
            **identity_surface.resource_manager_rpcs(identity, projects.handlers(), self._pool),
        }
        options = FrontOptions(
            run=given.path("run"),
            host=given.host,
            port=given.port or self._last("port"),
            proxy_port=given.proxy_port or self._last("proxy_port"),
            outbound=Outbound.parse(given.tunnel_allow),
        )
        metadata = identity_surface.MetadataApp(identity, self._pool, self._recorder)
        return Front(
            served.table(apps),
            rpcs,
            self._authority,
            options,
            metadata=metadata,
            plain=self._console.app,
            details=status_bytes,
        )

    def _make_console(self, gcs: GcsApp) -> Console:
        return Console(
            ConsoleParts(
                store=self._store,
                clock=self._clock,
                ids=self._ids,
                tokens=self._tokens,
                secret=self._secret,
                identity=self._identity,
                projects=self._projects,
                jobs=self._jobs,
                datasets=self._datasets,
                logging=self._logging,
                models=self._models,
                vertex=self._vertex.app,
                storage=gcs,
                here=served.here(self._settings),
                pool=self._pool,
            )
        )

    def _agents_config(self) -> uvicorn.Config:
        app = agents.app(self._jobs.reports.take, self._open_doors, self._store.notifier, self._pool)
        path = self._settings.path("run", "agents.sock")
        path.unlink(missing_ok=True)
        return uvicorn.Config(
            app, uds=str(path), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )

    async def _open_doors(self, uid: str, task: str) -> None:
        """Open the sockets of one replica; again after a restart, when its agent says hello."""
        found = await asyncio.get_running_loop().run_in_executor(self._pool, self._jobs.replica, uid, task)
        if found is not None:
            await self._open(found)

    async def _open(self, replica: Replica) -> None:
        door = self._places.door(replica.uid, replica.task)
        await self._front.close_replica(replica.name)
        await self._front.open_replica(door, replica.name, outbound=self._settings.outbound)
        if replica.metadata:
            host, _, port = replica.metadata.partition(":")
            await self._front.open_metadata(replica.name, (host, int(port)))

    def _announce(self) -> Ready:
        given = self._settings
        return Ready(
            pid=os.getpid(),
            version=__version__,
            host=given.host,
            port=self._front.address[1],
            proxy_port=self._front.proxy_address[1],
            project=self._project.id,
            project_number=self._project.number,
            location=given.location,
            ca_bundle=str(self._bundle),
            key_file=str(self._key_file),
            start_time=self._clock.now(),
            console=served.console_address(given.host, self._front.address[1]),
        )

    def _last(self, name: str) -> int:
        """Return a port that the last server of this home had, so that a restart keeps its address; 0 if none."""
        announced = upkeep.last_ports(self._settings.path("run"))
        return upkeep.free_port(announced.get(name, 0))

    def _known_number(self, segment: str) -> str | None:
        found = self._projects.find(segment)
        return found.number if found is not None and found.active else None

    def _number(self, segment: str) -> str:
        return self._projects.resolve(segment).number

    def _id_of(self, number: str) -> str:
        return self._projects.resolve(number).id

    def _signer(self, email: str) -> Signer | None:
        found = self._identity.signer(email)
        return Signer(*found) if found is not None else None


def main(arguments: list[str]) -> int:
    """Run one verb; return the exit status. What goes wrong before serving is one line on standard error."""
    server = None
    try:
        given = settings.load()
        given.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if arguments and arguments[0] != "serve":
            return upkeep.main(given, arguments)
        lock = ready.take_lock(given.path("run"))
        if lock is None:
            print(f"Another server has the home {given.home}.", file=sys.stderr)  # noqa: T201
            return 3
        ready.withdraw(given.path("run"))  # of a server that was killed: its process id may be anybody's by now
        upkeep.plain_logs()
        upkeep.raise_limits()
        with contextlib.ExitStack() as held:
            held.callback(os.close, lock)
            server = Server(given)
            server.run()
    except (SettingsError, TrigpointError) as error:
        print(str(error), file=sys.stderr)  # noqa: T201
        return 1
    except OSError as error:
        if server is not None and server.serving:
            raise
        print(str(error), file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
