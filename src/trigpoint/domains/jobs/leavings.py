"""What a job leaves below /gcs: files become objects when it ends, with who wrote them; what was read is noted as well.

Of replicas whose files were watched it is known. What is found beyond that is noted in the first one's name, as found.
"""

from collections.abc import Iterator, Sequence

from trigpoint.agent.protocol import OPENED, SAVED
from trigpoint.core.call import Caller
from trigpoint.core.names import project_of
from trigpoint.core.uris import GsUri
from trigpoint.domains.jobs import records
from trigpoint.domains.jobs.records import Replica
from trigpoint.domains.storage import FOUND, Files
from trigpoint.store import Store, objects, steps
from trigpoint.store.objects import ObjectRow
from trigpoint.store.steps import Step


class Leavings:
    """Takes up the files of one job that is over."""

    def __init__(self, store: Store, files: Files, job: str) -> None:
        self._store, self._files = store, files
        files.things.access.flush()  # nothing that was heard is in memory only
        self._replicas = store.read(lambda tx: records.of_job(tx, job))
        self._saved: dict[str, list[Replica]] = {}
        self._opened: list[tuple[Replica, Step]] = []
        for replica in self._replicas:
            for step in self._touched(replica):
                if step.what == SAVED:
                    self._saved.setdefault(_uri(step), []).append(replica)
                else:
                    self._opened.append((replica, step))
        self._noted: set[str] = set()

    def take_up(self) -> Iterator[object]:
        """Make objects of files, name by name; yields so that a caller can pause in between."""
        for bucket in self._files.trees(project_of(self._replicas[0].job)) if self._replicas else ():
            for swept in self._files.sweep(bucket):
                for row in swept.adopted:
                    self._note(row)
                yield swept
        for uri in self._saved.keys() - self._noted:  # taken up before: the same bytes, or somebody looked meanwhile
            known = self._live(uri)
            if known is not None:
                self._note(known)
            yield known
        for replica, step in self._opened:
            read = self._live(_uri(step))
            if read is not None and read.mtime // 1000 <= step.time:  # what it read is what lies there now
                self._files.note(_caller(replica), read, write=False)
            yield read

    def _note(self, row: ObjectRow) -> None:
        uri = str(GsUri(row.bucket, row.name.decode("utf-8", "replace")))
        self._noted.add(uri)
        writers = self._writers(uri)
        for writer in writers:
            self._files.note(_caller(writer), row, write=True)
        unseen = [replica for replica in self._replicas if "RUNNING" in replica.times and not replica.watched]
        if unseen and not writers:
            self._files.note(_caller(unseen[0]), row, write=True, series=FOUND)

    def _writers(self, uri: str) -> Sequence[Replica]:
        """Return who wrote a file, or where those of its folder are not told apart, who wrote there."""
        folder, bucket = uri.rpartition("/")[0], "/".join(uri.split("/", 3)[:3])
        return self._saved.get(uri) or self._saved.get(f"{folder}/*") or self._saved.get(f"{bucket}/*") or ()

    def _touched(self, replica: Replica) -> list[Step]:
        """Return the last step of each series of files below /gcs, but for those that have another name now."""
        found = self._store.telemetry.read(lambda tx: steps.of_replica(tx, replica.name))
        last = {(step.what, step.thing): step for step in found if step.what in (OPENED, SAVED)}
        return [step for step in last.values() if step.count]

    def _live(self, uri: str) -> ObjectRow | None:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return self._store.read(lambda tx: objects.live(tx, bucket, name.encode()))


def _uri(step: Step) -> str:
    return step.thing.removesuffix(records.IN_TREE)


def _caller(replica: Replica) -> Caller:
    return Caller(replica.identity, project_of(replica.job), replica=replica.name, tenant=replica.tenant)
