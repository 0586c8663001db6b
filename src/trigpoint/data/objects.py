"""Objects: names, generations and bytes kept in line, across any crash; who may do what is the storage slice's affair.

The rows are the truth and change in one transaction; the files follow. Every generation's bytes are a file of the
blob area; the live one is linked where the bucket's tree says. A write makes its bytes durable, commits the row
together with a chore, then links the file into the tree and answers. Chores are withdrawn in batches, once the
links are durable; `recover` does those that a crash left.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from weakref import WeakValueDictionary

from trigpoint.core.clock import Clock, Ids
from trigpoint.core.errors import DataLoss, FailedPrecondition, NotFound, TrigpointError
from trigpoint.data import sentences
from trigpoint.data.objects_blobs import Blobs, Content, Look, Step, Writer, disk
from trigpoint.data.objects_tree import Tree
from trigpoint.store import objects as rows
from trigpoint.store.db import Store
from trigpoint.store.objects import BucketRow, Chore, ObjectRow
from trigpoint.store.tx import Tx

Rule = Callable[[BucketRow, ObjectRow | None], bool]
"""Runs in the transaction with bucket and live generation: raises to refuse, returns whether that one is kept."""

Also = Callable[[Tx, ObjectRow], None]
SETTLE_AFTER = 64


@dataclass(slots=True)
class _Chore:
    """A chore of this process and what it changed that is not durable yet."""

    row: Chore
    folders: set[Path]


class Reading:
    """The bytes of one generation, open. `read` is thread-safe until `close`."""

    def __init__(self, row: ObjectRow, file: int) -> None:
        self.row = row
        self.file = file
        """A descriptor fit for sendfile."""

    def read(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset`; fewer only at the end."""
        return os.pread(self.file, count, offset)

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def __del__(self) -> None:
        # A response that is never begun, because its client left, has nobody else to close this.
        self.close()

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Objects:
    """All buckets of one home. Thread-safe; one process at a time. Call `recover` before anything else."""

    def __init__(self, store: Store, home: Path, clock: Clock, ids: Ids, *, step: Step = lambda name: None) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.step = step
        self.root = home / "buckets"
        for folder in (self.root, home / "blobs"):
            # Jobs write into the folders below, also as root: other people of this machine have no business in there.
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.blobs = Blobs(home / "blobs", step)
        self._locks: WeakValueDictionary[str, threading.RLock] = WeakValueDictionary()
        self._guard = threading.Lock()
        self._changing: Counter[tuple[str, bytes]] = Counter()
        self._kept: list[_Chore] = []
        self._unshown: set[tuple[str, bytes]] = set()
        self._settling = threading.Lock()

    def tree(self, bucket: str) -> Tree:
        """Return the tree of a bucket."""
        return Tree(self.root / bucket, self.blobs.incoming, self.step)

    def create_bucket(self, row: BucketRow) -> None:
        """Add a bucket; AlreadyExists when the name is taken."""
        with self.lock(row.name), disk():
            self.tree(row.name).make()
            self.blobs.sync(self.root)
            self.store.write(lambda tx: rows.insert_bucket(tx, row))

    def delete_bucket(self, name: str, rule: Callable[[BucketRow], None]) -> None:
        """Remove an empty bucket; FailedPrecondition when a generation is left, NotFound when there is none."""

        def unit(tx: Tx) -> None:
            row = _bucket(tx, name)
            rule(row)
            if rows.occupied(tx, name):
                raise FailedPrecondition(
                    sentences.NOT_EMPTY.format(bucket=name),
                    reason="NOT_EMPTY",
                )
            rows.delete_bucket(tx, name)

        with self.lock(name):
            self.store.write(unit)
            self.tree(name).clear()

    def writer(self) -> Writer:
        """Begin new bytes; `put` names them, leaving the writer without that drops them."""
        return self.blobs.create(self.ids.hex(32))

    def put(
        self,
        bucket: str,
        name: bytes,
        content: Content,
        attributes: bytes,
        rule: Rule,
        *,
        also: Also = lambda tx, row: None,
    ) -> ObjectRow:
        """Make `content` the live generation of a name, if `rule` lets it; durable on return. Returns the row."""

        def unit(tx: Tx) -> tuple[ObjectRow, list[Chore]]:
            old = rows.live(tx, bucket, name)
            keep = rule(_bucket(tx, bucket), old)
            row = self._next(tx, bucket, name, content, attributes)
            done = [self._chore(tx, bucket, name, content.blob)]
            if old is not None:
                done += self._retire(tx, old, keep=keep)
            rows.insert(tx, row)
            also(tx, row)
            return row, done

        with self.changing((bucket, name)):
            try:
                row, chores = self.store.write(unit)
            except TrigpointError:
                self.release(content.blob)
                raise
            self.step("commit")
            self._align(chores)
        return row

    def release(self, blob: str) -> None:
        """Remove a blob unless a row needs it."""
        if blob and not self.store.read(lambda tx: rows.blob_used(tx, blob)):
            with disk():
                self.blobs.unlink(blob)

    def remove(self, bucket: str, name: bytes, generation: int, rule: Rule) -> ObjectRow:
        """Delete the live generation (0), or one for good; NotFound when there is none. Returns the row as it was."""

        def unit(tx: Tx) -> tuple[ObjectRow, list[Chore]]:
            owner = _bucket(tx, bucket)
            old = rows.get(tx, bucket, name, generation) if generation else rows.live(tx, bucket, name)
            keep = rule(owner, old)
            if old is None:
                raise missing(bucket, name)
            done = [self._chore(tx, bucket, name, "")]
            return old, done + self._retire(tx, old, keep=keep and not generation)

        with self.changing((bucket, name)):
            row, chores = self.store.write(unit)
            self.step("commit")
            self._align(chores)
        return row

    def move(self, bucket: str, source: bytes, target: bytes, source_rule: Rule, target_rule: Rule) -> ObjectRow:
        """Give the live generation of a name another name of its bucket, in one transaction; return the new row."""

        def unit(tx: Tx) -> tuple[ObjectRow, list[Chore]]:
            owner = _bucket(tx, bucket)
            old, replaced = rows.live(tx, bucket, source), rows.live(tx, bucket, target)
            keep = source_rule(owner, old)
            if old is None:
                raise missing(bucket, source)
            keep_target = target_rule(owner, replaced)
            content = Content(old.blob, old.size, old.crc32c, Look.recorded(old), old.md5)
            row = self._next(tx, bucket, target, content, old.attributes)
            done = [self._chore(tx, bucket, source, ""), self._chore(tx, bucket, target, old.blob)]
            if replaced is not None and source != target:
                done += self._retire(tx, replaced, keep=keep_target)
            self._retire(tx, old, keep=keep, release=False)
            rows.insert(tx, row)
            return row, done

        with self.changing((bucket, source)), self.changing((bucket, target)):
            row, chores = self.store.write(unit)
            self.step("commit")
            self._align(chores)
        return row

    def update(
        self, bucket: str, name: bytes, generation: int, change: Callable[[BucketRow, ObjectRow | None], ObjectRow]
    ) -> ObjectRow:
        """Replace what is known of a generation (0: the live one) by what `change` makes of it in the transaction."""

        def unit(tx: Tx) -> ObjectRow:
            owner = _bucket(tx, bucket)
            old = rows.get(tx, bucket, name, generation) if generation else rows.live(tx, bucket, name)
            new = change(owner, old)
            if old is None:
                raise missing(bucket, name)
            new = replace(new, metageneration=old.metageneration + 1, update_time=self.clock.now())
            rows.update(tx, new, old.metageneration)
            return new

        return self.store.write(unit)

    def open(self, row: ObjectRow) -> Reading:
        """Open the bytes of a generation; NotFound when it went away, DataLoss when they are not its bytes any more."""
        try:
            file = self.blobs.open(row.blob)
        except FileNotFoundError:
            if self.store.read(lambda tx: rows.get(tx, row.bucket, row.name, row.generation)) is None:
                raise missing(row.bucket, row.name) from None
            raise DataLoss(sentences.LOST.format(object=_shown(row.bucket, row.name))) from None
        if os.fstat(file).st_size < row.size:
            os.close(file)
            shown = _shown(row.bucket, row.name)
            raise DataLoss(sentences.OVERWRITTEN.format(generation=row.generation, object=shown))
        return Reading(row, file)

    def copy(self, sources: list[ObjectRow]) -> Content:
        """Return durable bytes: those of the sources, one after the other."""
        with self.writer() as writer:
            for row in sources:
                with self.open(row) as reading:
                    writer.append_file(reading.file, row.size, row.crc32c if len(sources) == 1 else None)
            return writer.finish(sources[0].md5 if len(sources) == 1 else "")

    def is_changing(self, bucket: str, name: bytes) -> bool:
        """Return whether the file of a name may lag behind its row, and so says nothing about edits by hand."""
        return self._changing[bucket, name] > 0 or (bucket, name) in self._unshown

    @contextmanager
    def changing(self, key: tuple[str, bytes]) -> Iterator[None]:
        """Mark a name as one whose file may lag behind its row."""
        with self._guard:
            self._changing[key] += 1
        try:
            yield
        finally:
            with self._guard:
                self._changing[key] -= 1
                if not self._changing[key]:
                    del self._changing[key]

    def lock(self, bucket: str) -> threading.RLock:
        """Return the lock under which a bucket's tree changes."""
        with self._guard:
            return self._locks.setdefault(bucket, threading.RLock())

    def show(self, bucket: str, name: bytes) -> Path | None:
        """Bring the tree in line with the live generation of a name; return the folder whose names changed."""
        with self.lock(bucket), disk():
            tree = self.tree(bucket)
            row = self.store.read(lambda tx: rows.live(tx, bucket, name))
            if row is None:
                return tree.hide(name, lambda folder: self.store.read(lambda tx: _is_live(tx, bucket, folder)))
            look = tree.look(name)
            if look is not None and look.inode == row.inode:
                return None
            return tree.show(name, self.blobs.path(row.blob), row.size)

    def settle(self) -> None:
        """Make the links that are due durable and withdraw their chores. Called by itself now and then."""
        with self._settling:
            for key in list(self._unshown):
                self._show(key)
            with self._guard:
                late = [chore for chore in self._kept if (chore.row.bucket, chore.row.name) in self._unshown]
                kept = [chore for chore in self._kept if chore not in late]
                self._kept = late
            try:
                self._settle(kept)
            except TrigpointError:
                self._guarded_keep(kept)
                raise

    def _settle(self, kept: list[_Chore]) -> None:
        if not kept:
            return
        with disk():
            for folder in set().union(*(chore.folders for chore in kept)):
                with suppress(FileNotFoundError, NotADirectoryError):  # removed since, or replaced by a job
                    self.blobs.sync(folder)
            self.blobs.settle({chore.row.blob for chore in kept if chore.row.blob})
        self.store.write(lambda tx: rows.drop_chores(tx, [chore.row.id for chore in kept]))
        self.step("chores.drop")

    def recover(self) -> None:
        """Finish what a crash interrupted. Idempotent; call before the first use of a home."""
        self.root.mkdir(parents=True, exist_ok=True)
        buckets = {row.name for row in self.store.read(_every_bucket)}
        for bucket in buckets:
            self.tree(bucket).make()
        for bucket in set(os.listdir(self.root)) - buckets:
            self.tree(bucket).clear()
        open_chores = self.store.read(rows.all_chores)
        done = [chore for chore in open_chores if self._redone(chore, open_chores)]
        self._guarded_keep([_Chore(chore, self._folders_of(chore)) for chore in done])
        self.settle()
        for stray in list(self.blobs.strays()):
            if stray.endswith(".link") or not self.store.read(lambda tx, s=stray: rows.blob_used(tx, s)):  # type: ignore[misc]
                (self.blobs.incoming / stray).unlink(missing_ok=True)

    def close(self) -> None:
        """Settle what is due. The store stays open."""
        self.settle()

    def _redone(self, chore: Chore, every: list[Chore]) -> bool:
        """Do a chore of an earlier process, without touching a file that somebody else put in the tree since.

        False when it cannot be done, which keeps nobody from the other buckets: it stays for the next start.
        """
        try:
            with disk():
                if self.store.read(lambda tx: rows.get_bucket(tx, chore.bucket)) is not None:
                    look = self.tree(chore.bucket).look(chore.name)
                    if look is None or look.inode in self._known(chore, every):
                        self._show((chore.bucket, chore.name))
        except TrigpointError:
            return False
        return self._released(chore)

    def _known(self, chore: Chore, every: list[Chore]) -> set[int]:
        """Return the inodes of all files of ours that the tree may show under the chore's name."""
        blobs = {other.blob for other in every if (other.bucket, other.name) == (chore.bucket, chore.name)}
        blobs |= {row.blob for row in self.store.read(lambda tx: rows.generations(tx, chore.bucket, chore.name))}
        inodes = set()
        for blob in blobs - {""}:
            path = self.blobs.path(blob)
            if path.exists():
                inodes.add(Look.of(path.stat()).inode)
        return inodes

    def _align(self, chores: list[Chore]) -> None:
        """Do the chores of a change that was just committed; remember them until they are durable."""
        changed = set().union(*(self._show(key) for key in {(chore.bucket, chore.name) for chore in chores}))
        done = [chore for chore in chores if self._released(chore)]
        self._guarded_keep([_Chore(chore, changed | self._parents(changed)) for chore in done])
        if len(self._kept) >= SETTLE_AFTER:
            with suppress(TrigpointError):  # the change is durable; what is due stays due
                self.settle()

    def _show(self, key: tuple[str, bytes]) -> set[Path]:
        """Show a name, or remember that it is due: the change is durable and must not fail for the want of a link."""
        try:
            folder = self.show(*key)
        except TrigpointError:
            self._unshown.add(key)
            return set()
        self._unshown.discard(key)
        return set() if folder is None else {folder}

    def _released(self, chore: Chore) -> bool:
        """Release the blob of a chore; False leaves that to the next start: the change is durable and must not fail."""
        try:
            self.release(chore.blob)
        except TrigpointError:
            return False
        return True

    def _guarded_keep(self, chores: list[_Chore]) -> None:
        with self._guard:
            self._kept += chores

    def _folders_of(self, chore: Chore) -> set[Path]:
        path = self.tree(chore.bucket).path(chore.name)
        folder = self.root / chore.bucket if path is None else path.parent
        return {folder} | self._parents({folder})

    def _parents(self, folders: set[Path]) -> set[Path]:
        """Return every folder between the trees' root and these: new ones among them have to be made durable too."""
        return {above for folder in folders for above in folder.parents if self.root in above.parents}

    def _next(self, tx: Tx, bucket: str, name: bytes, content: Content, attributes: bytes) -> ObjectRow:
        now = self.clock.now()
        return ObjectRow(
            bucket=bucket,
            name=name,
            generation=max(now, rows.last_generation(tx, bucket, name) + 1),
            live=True,
            metageneration=1,
            size=content.size,
            crc32c=content.crc32c,
            md5=content.md5,
            blob=content.blob,
            inode=content.look.inode,
            mtime=content.look.mtime,
            create_time=now,
            update_time=now,
            delete_time=0,
            pinned=False,
            attributes=attributes,
        )

    def _retire(self, tx: Tx, old: ObjectRow, *, keep: bool, release: bool = True) -> list[Chore]:
        """Make a generation noncurrent, or remove it and, unless another row has its bytes, promise to remove those."""
        if (keep or old.pinned) and old.live:
            rows.update(tx, replace(old, live=False, delete_time=self.clock.now()), old.metageneration)
            return []
        rows.remove(tx, old)
        return [self._chore(tx, old.bucket, old.name, old.blob)] if release else []

    def _chore(self, tx: Tx, bucket: str, name: bytes, blob: str) -> Chore:
        chore = Chore(self.ids.hex(24), bucket, name, blob)
        rows.add_chore(tx, chore)
        return chore


def missing(bucket: str, name: bytes) -> NotFound:
    """Return the error for an object that is not there, in Cloud Storage's words."""
    return NotFound(sentences.NO_OBJECT.format(object=_shown(bucket, name)))


def no_bucket(name: str) -> NotFound:
    """Return the error for a bucket that is not there, in Cloud Storage's words."""
    return NotFound(sentences.NO_BUCKET.format(bucket=name[:222]))


def _shown(bucket: str, name: bytes) -> str:
    text = f"{bucket}/{name.decode('utf-8', 'replace')}"
    return text if len(text) <= 300 else text[:297] + "..."


def _bucket(tx: Tx, name: str) -> BucketRow:
    row = rows.get_bucket(tx, name)
    if row is None:
        raise no_bucket(name)
    return row


def _is_live(tx: Tx, bucket: str, name: bytes) -> bool:
    return rows.live(tx, bucket, name) is not None


def _every_bucket(tx: Tx) -> list[BucketRow]:
    found: list[BucketRow] = []
    while page := rows.list_buckets(tx, None, "", found[-1].name if found else "", 500):
        found += page
    return found
