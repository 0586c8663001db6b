"""What a job leaves below /gcs: files become objects when it ends, with who wrote them; what was read is noted as well.

Of replicas whose files were watched it is known. What is found beyond that is noted in the name of the first that was
not, as found: a file that changed while it ran and nobody else of the project did, or that lies in the job's output.
"""

from collections.abc import Iterator, Sequence

from trigpoint.agent.protocol import OPENED, SAVED
from trigpoint.core.call import Caller
from trigpoint.core.clock import Micros
from trigpoint.core.names import project_of
from trigpoint.core.uris import GsUri
from trigpoint.domains.jobs import records
from trigpoint.domains.jobs.records import Replica
from trigpoint.domains.storage import FOUND, Files
from trigpoint.store import Store, objects, resources, steps
from trigpoint.store.objects import ObjectRow
from trigpoint.store.queries import COLUMNS
from trigpoint.store.steps import Step


class Leavings:
    """Takes up the files of one job that is over."""

    def __init__(self, store: Store, files: Files, job: str, output: str) -> None:
        """`output` is the job's output directory, as its specification says."""
        self._store, self._files = store, files
        self._output = f"{output.rstrip('/')}/" if output else "gs:///"
        files.things.access.flush()  # nothing that was heard is in memory only
        self._replicas = store.read(lambda tx: records.of_job(tx, job))
        self._saved: dict[str, list[Replica]] = {}
        self._opened: list[tuple[Replica, Step]] = []
        for replica in self._replicas:
            for step in self._touched(replica):
                if step.what == SAVED:
                    self._saved.setdefault(step.thing, []).append(replica)
                else:
                    self._opened.append((replica, step))
        self._noted: set[str] = set()
        self._unseen = [one for one in self._replicas if "RUNNING" in one.times and (one.missed or not one.watched)]
        self._others = self._beside(self._unseen[0]) if self._unseen else []

    def take_up(self) -> Iterator[object]:
        """Make objects of files, name by name; yields so that a caller can pause in between."""
        for bucket in self._files.trees(project_of(self._replicas[0].job)) if self._replicas else ():
            for swept in self._files.sweep(bucket):
                for row in swept.adopted:
                    self._note(row)
                yield swept
        for thing in self._saved.keys() - self._noted:  # taken up before: the same bytes, or somebody looked meanwhile
            known = self._live(thing)
            if known is not None:
                self._note(known)
            yield known
        for replica, step in self._opened:
            read = self._live(step.thing)
            if read is not None and read.mtime // 1000 <= step.time:  # what it read is what lies there now
                self._files.note(_caller(replica), read, write=False)
            yield read

    def _note(self, row: ObjectRow) -> None:
        uri = str(GsUri(row.bucket, row.name.decode("utf-8", "replace")))
        self._noted.add(f"{uri}{records.IN_TREE}")
        writers = self._writers(uri)
        for writer in writers:
            self._files.note(_caller(writer), row, write=True)
        if not writers and self._unseen and self._credible(uri, row.mtime // 1000):
            self._files.note(_caller(self._unseen[0]), row, write=True, series=FOUND)

    def _writers(self, uri: str) -> Sequence[Replica]:
        """Return who wrote a file, or where those of its folder are not told apart, who wrote there."""
        things = (f"{uri}{records.IN_TREE}", f"{uri.rpartition('/')[0]}/*", f"{'/'.join(uri.split('/', 3)[:3])}/*")
        return next((self._saved[thing] for thing in things if thing in self._saved), ())

    def _credible(self, uri: str, changed: Micros) -> bool:
        """Return whether a file that nobody was heard to write is this job's: no other ran, or it is in its output."""
        if uri.startswith(self._output):
            return True
        own, others = (any(_ran(one, changed) for one in some) for some in (self._unseen, self._others))
        return own and not others

    def _beside(self, replica: Replica) -> list[Replica]:
        """Return the replicas of other jobs of the project that may have run since this one began."""
        project, since = f"projects/{project_of(replica.job)}/", COLUMNS["update_time"] >= replica.times["RUNNING"]
        rows = self._store.read(lambda tx: resources.select(tx, records.KIND, project, where=since, limit=10_000)).rows
        return [other for row in rows if (other := records.read(row)).job != replica.job]

    def _touched(self, replica: Replica) -> list[Step]:
        """Return the last step of each series of files below /gcs, but for those that have another name now."""
        found = self._store.telemetry.read(lambda tx: steps.of_replica(tx, replica.name))
        last = {(step.what, step.thing): step for step in found if step.what in (OPENED, SAVED)}
        return [step for step in last.values() if step.count]

    def _live(self, thing: str) -> ObjectRow | None:
        """Return the object that a series of one file is about; None for a folder's."""
        bucket, _, name = thing.removesuffix(records.IN_TREE).removeprefix("gs://").partition("/")
        one = thing.endswith(records.IN_TREE)
        return self._store.read(lambda tx: objects.live(tx, bucket, name.encode())) if one else None


def _ran(replica: Replica, time: Micros) -> bool:
    """Return whether a replica's program ran at a time, as far as its agent's clock tells."""
    begun = replica.times.get("RUNNING", 0)
    return 0 < begun <= time and time <= (replica.times.get("ENDED") or time)


def _caller(replica: Replica) -> Caller:
    return Caller(replica.identity, project_of(replica.job), replica=replica.name, tenant=replica.tenant)
