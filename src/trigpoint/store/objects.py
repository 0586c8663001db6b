"""Rows of buckets, object generations and upload sessions; the bytes they describe are `data.objects`' affair.

Object names are kept as their UTF-8 bytes, so that lists come in byte order on every database and no
character is special. A chore is a promise, made in the transaction that changes an object, to bring the
files in line with the rows; it is withdrawn once that is done durably.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text, and_, bindparam, or_
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update
from sqlalchemy.sql.expression import ColumnElement

from trigpoint.core.clock import Micros
from trigpoint.core.errors import Aborted, AlreadyExists, DataLoss
from trigpoint.store import sentences
from trigpoint.store.schema import METADATA, binary, integer, key, seal, sealed, text
from trigpoint.store.tx import Prepared, Tx

R = TypeVar("R")

BUCKETS = sealed(
    Table(
        "buckets",
        METADATA,
        key("name"),
        text("project"),
        integer("metageneration"),
        integer("create_time"),
        integer("update_time"),
        binary("attributes"),
        integer("seal"),
        Index("buckets_by_project", "project", "name"),
    )
)
OBJECTS = sealed(
    Table(
        "objects",
        METADATA,
        key("bucket"),
        Column("name", LargeBinary, primary_key=True),
        Column("generation", BigInteger, primary_key=True, autoincrement=False),
        Column("live", Boolean, nullable=False),
        integer("metageneration"),
        integer("size"),
        integer("crc32c"),
        text("md5"),
        text("blob"),
        integer("inode"),
        integer("mtime"),
        integer("create_time"),
        integer("update_time"),
        integer("delete_time"),
        Column("pinned", Boolean, nullable=False),
        binary("attributes"),
        integer("seal"),
        Index("objects_by_blob", "blob"),
    )
)
_LIVE = OBJECTS.c.live.is_(True)
Index("objects_live", OBJECTS.c.bucket, OBJECTS.c.name, unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
UPLOADS = Table(
    "uploads",
    METADATA,
    key("id"),
    text("bucket"),
    binary("name"),
    text("blob"),
    integer("received"),
    integer("crc32c"),
    integer("generation"),
    integer("create_time"),
    binary("spec"),
    integer("seal"),
    Index("uploads_by_time", "create_time"),
    Index("uploads_by_blob", "blob"),
)
sealed(UPLOADS)
PARTS = sealed(
    Table(
        "upload_parts",
        METADATA,
        key("upload"),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        text("blob"),
        integer("size"),
        integer("crc32c"),
        integer("seal"),
        Index("upload_parts_by_blob", "blob"),
    )
)
CHORES = sealed(
    Table(
        "object_chores",
        METADATA,
        key("id"),
        text("bucket"),
        binary("name"),
        text("blob"),
        integer("seal"),
    )
)


@dataclass(frozen=True, slots=True)
class BucketRow:
    """One bucket; `project` is its owner's number, `attributes` the JSON of what its owner set."""

    name: str
    project: str
    metageneration: int
    create_time: Micros
    update_time: Micros
    attributes: bytes


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One generation of an object. At most one of a name is `live`."""

    bucket: str
    name: bytes
    generation: int
    live: bool
    metageneration: int
    size: int
    crc32c: int
    md5: str
    """Base64, or empty while nobody has asked for it (and always for composed objects)."""
    blob: str
    """Which file of the blob area holds the bytes."""
    inode: int
    mtime: int
    """With `inode` and `size`: how the file looked when the row was made; another look means it was edited."""
    create_time: Micros
    update_time: Micros
    delete_time: Micros
    """When it stopped being live; 0 for the live generation."""
    pinned: bool
    """Kept when it is overwritten or deleted, whatever the bucket's versioning says."""
    attributes: bytes


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One upload session. `generation` is 0 until it has become an object."""

    id: str
    bucket: str
    name: bytes
    blob: str
    received: int
    """Bytes that are durable; what the client may forget."""
    crc32c: int
    """Checksum of the first `received` bytes."""
    generation: int
    create_time: Micros
    spec: bytes


@dataclass(frozen=True, slots=True)
class PartRow:
    """One numbered part of a multipart upload session."""

    upload: str
    number: int
    blob: str
    size: int
    crc32c: int


@dataclass(frozen=True, slots=True)
class Chore:
    """Files of one object name to bring in line with its rows; `blob` may have to be removed."""

    id: str
    bucket: str
    name: bytes
    blob: str


class _Rows(Generic[R]):
    """The statements that every table here needs, with the seal kept and checked."""

    def __init__(self, table: Table, kind: type[R]) -> None:
        self.table = table
        self.kind = kind
        self.fields = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        self.columns = [*self.fields, "seal"]
        self._insert = Prepared(sql_insert(table), *self.columns)

    def query(self, *where: ColumnElement[bool]) -> Any:
        """Return the statement that selects whole rows."""
        return sql_select(*(self.table.c[name] for name in self.columns)).where(*where)

    def changes(self, where: ColumnElement[bool]) -> Prepared:
        """Return the statement that replaces a whole row."""
        return Prepared(sql_update(self.table).where(where), *self.columns)

    def values(self, row: R) -> dict[str, Any]:
        """Return the columns of a row, sealed."""
        plain = astuple(row)  # type: ignore[call-overload]
        return {**dict(zip(self.fields, plain, strict=True)), "seal": seal(*plain)}

    def insert(self, tx: Tx, row: R) -> None:
        """Add a row."""
        tx.run(self._insert, **self.values(row))

    def row(self, found: tuple[Any, ...] | None) -> R | None:
        """Return what a query found; DataLoss when it isn't what was written."""
        if found is None:
            return None
        if seal(*found[:-1]) != found[-1]:
            raise DataLoss(sentences.ROW_DAMAGED.format(table=self.table.name))
        return self.kind(*found[:-1])

    def rows(self, found: Sequence[tuple[Any, ...]]) -> list[R]:
        """Return all that a query found."""
        return [row for row in map(self.row, found) if row is not None]


_buckets = _Rows(BUCKETS, BucketRow)
_objects = _Rows(OBJECTS, ObjectRow)
_uploads = _Rows(UPLOADS, UploadRow)
_parts = _Rows(PARTS, PartRow)
_chores = _Rows(CHORES, Chore)


def _is(column: Column[Any], name: str) -> ColumnElement[bool]:
    return column == bindparam(name, type_=column.type)


_LIMIT = bindparam("limit", type_=BigInteger)
_NAMED = and_(_is(OBJECTS.c.bucket, "b_bucket"), _is(OBJECTS.c.name, "b_name"))
_KEY = and_(_NAMED, _is(OBJECTS.c.generation, "b_generation"))
_SAME = _is(OBJECTS.c.metageneration, "b_was")

_GET_BUCKET = Prepared(_buckets.query(_is(BUCKETS.c.name, "b_name")))
_UPDATE_BUCKET = _buckets.changes(and_(_is(BUCKETS.c.name, "b_name"), _is(BUCKETS.c.metageneration, "b_was")))
_DELETE_BUCKET = Prepared(sql_delete(BUCKETS).where(_is(BUCKETS.c.name, "b_name")))
_OCCUPIED = Prepared(sql_select(OBJECTS.c.size).where(_is(OBJECTS.c.bucket, "b_bucket")).limit(1))
_GET_LIVE = Prepared(_objects.query(_NAMED, _LIVE))
_GET = Prepared(_objects.query(_KEY))
_GENERATIONS = Prepared(_objects.query(_NAMED).order_by(OBJECTS.c.generation))
_LAST = Prepared(sql_select(OBJECTS.c.generation).where(_NAMED).order_by(OBJECTS.c.generation.desc()).limit(1))
_UPDATE = _objects.changes(and_(_KEY, _SAME))
_REMOVE = Prepared(sql_delete(OBJECTS).where(_KEY))
_BLOB = [Prepared(sql_select(t.c.blob).where(_is(t.c.blob, "b_blob")).limit(1)) for t in (OBJECTS, UPLOADS, PARTS)]
_GET_UPLOAD = Prepared(_uploads.query(_is(UPLOADS.c.id, "b_id")))
_UPDATE_UPLOAD = _uploads.changes(_is(UPLOADS.c.id, "b_id"))
_DELETE_UPLOAD = Prepared(sql_delete(UPLOADS).where(_is(UPLOADS.c.id, "b_id")))
_DELETE_PARTS = Prepared(sql_delete(PARTS).where(_is(PARTS.c.upload, "b_id")))
_OLD_UPLOADS = Prepared(
    _uploads.query(UPLOADS.c.create_time < bindparam("b_time", type_=BigInteger))
    .order_by(UPLOADS.c.create_time)
    .limit(_LIMIT)
)
_GET_PART = Prepared(_parts.query(_is(PARTS.c.upload, "b_id"), _is(PARTS.c.number, "b_number")))
_DELETE_PART = Prepared(sql_delete(PARTS).where(_is(PARTS.c.upload, "b_id"), _is(PARTS.c.number, "b_number")))
_LIST_PARTS = Prepared(_parts.query(_is(PARTS.c.upload, "b_id")).order_by(PARTS.c.number))
_ALL_CHORES = Prepared(_chores.query())
_DROP_CHORE = Prepared(sql_delete(CHORES).where(_is(CHORES.c.id, "b_id")))


def _listing(*, ended: bool, versions: bool) -> Prepared:
    start = bindparam("b_start", type_=LargeBinary)
    where = [
        _is(OBJECTS.c.bucket, "b_bucket"),
        OBJECTS.c.name >= start,
        or_(OBJECTS.c.name > start, OBJECTS.c.generation > bindparam("b_after", type_=BigInteger)),
    ]
    if ended:
        where.append(OBJECTS.c.name < bindparam("b_end", type_=LargeBinary))
    if not versions:
        where.append(_LIVE)
    return Prepared(_objects.query(*where).order_by(OBJECTS.c.name, OBJECTS.c.generation).limit(_LIMIT))


def _owned(*, owned: bool) -> Prepared:
    where = [BUCKETS.c.name > bindparam("b_after", type_=Text), BUCKETS.c.name >= bindparam("b_prefix", type_=Text)]
    if owned:
        where.append(_is(BUCKETS.c.project, "b_project"))
    return Prepared(_buckets.query(*where).order_by(BUCKETS.c.name).limit(_LIMIT))


_SELECT = {(e, v): _listing(ended=e, versions=v) for e in (False, True) for v in (False, True)}
_LIST_BUCKETS = {owned: _owned(owned=owned) for owned in (False, True)}


def insert_bucket(tx: Tx, row: BucketRow) -> None:
    """Add a bucket; AlreadyExists when the name is taken, by whomever."""
    if get_bucket(tx, row.name) is not None:
        raise AlreadyExists(sentences.BUCKET_TAKEN.format(name=row.name))
    _buckets.insert(tx, row)


def get_bucket(tx: Tx, name: str) -> BucketRow | None:
    """Return a bucket, or None."""
    return _buckets.row(tx.one(_GET_BUCKET, b_name=name))


def list_buckets(tx: Tx, project: str | None, prefix: str, after: str, limit: int) -> list[BucketRow]:
    """Return up to `limit` buckets of a project (None: of all) whose names start with `prefix` and follow `after`."""
    given: dict[str, Any] = {"b_after": after, "b_prefix": prefix, "limit": limit}
    if project is not None:
        given["b_project"] = project
    found = _buckets.rows(tx.rows(_LIST_BUCKETS[project is not None], **given))
    return [row for row in found if row.name.startswith(prefix)]


def update_bucket(tx: Tx, row: BucketRow, was: int) -> None:
    """Replace a bucket whose metageneration still is `was`; Aborted otherwise."""
    if tx.run(_UPDATE_BUCKET, b_name=row.name, b_was=was, **_buckets.values(row)) != 1:
        raise Aborted(sentences.BUCKET_CHANGED.format(name=row.name))


def delete_bucket(tx: Tx, name: str) -> None:
    """Remove a bucket's row; the caller has checked that no generation is left in it."""
    tx.run(_DELETE_BUCKET, b_name=name)


def occupied(tx: Tx, bucket: str) -> bool:
    """Return whether any generation of any object is in the bucket."""
    return tx.one(_OCCUPIED, b_bucket=bucket) is not None


def live(tx: Tx, bucket: str, name: bytes) -> ObjectRow | None:
    """Return the live generation of a name, or None."""
    return _objects.row(tx.one(_GET_LIVE, b_bucket=bucket, b_name=name))


def get(tx: Tx, bucket: str, name: bytes, generation: int) -> ObjectRow | None:
    """Return one generation of a name, or None."""
    return _objects.row(tx.one(_GET, b_bucket=bucket, b_name=name, b_generation=generation))


def generations(tx: Tx, bucket: str, name: bytes) -> list[ObjectRow]:
    """Return all generations of a name, oldest first."""
    return _objects.rows(tx.rows(_GENERATIONS, b_bucket=bucket, b_name=name))


def last_generation(tx: Tx, bucket: str, name: bytes) -> int:
    """Return the highest generation of a name, 0 when there is none."""
    found = tx.one(_LAST, b_bucket=bucket, b_name=name)
    return 0 if found is None else int(found[0])


def insert(tx: Tx, row: ObjectRow) -> None:
    """Add a generation; the caller has retired the live one."""
    _objects.insert(tx, row)


def update(tx: Tx, row: ObjectRow, was: int) -> None:
    """Replace a generation whose metageneration still is `was`; Aborted otherwise."""
    key: dict[str, Any] = {"b_bucket": row.bucket, "b_name": row.name, "b_generation": row.generation, "b_was": was}
    if tx.run(_UPDATE, **key, **_objects.values(row)) != 1:
        raise Aborted(sentences.OBJECT_CHANGED.format(bucket=row.bucket, name=row.name.decode()))


def remove(tx: Tx, row: ObjectRow) -> None:
    """Remove one generation's row."""
    tx.run(_REMOVE, b_bucket=row.bucket, b_name=row.name, b_generation=row.generation)


def select(
    tx: Tx, bucket: str, start: bytes, end: bytes | None, limit: int, *, versions: bool = False, after: int = 0
) -> list[ObjectRow]:
    """Return up to `limit` generations with `start` <= name < `end`, by name in byte order, then generation.

    `after` skips generations of the name `start` up to and including that number. Only live ones unless `versions`.
    """
    given: dict[str, Any] = {"b_bucket": bucket, "b_start": start, "b_after": after, "limit": limit}
    if end is not None:
        given["b_end"] = end
    return _objects.rows(tx.rows(_SELECT[end is not None, versions], **given))


def blob_used(tx: Tx, blob: str) -> bool:
    """Return whether any generation, session or part still needs a file of the blob area."""
    return any(tx.one(query, b_blob=blob) is not None for query in _BLOB)


def insert_upload(tx: Tx, row: UploadRow) -> None:
    """Begin a session."""
    _uploads.insert(tx, row)


def get_upload(tx: Tx, ident: str) -> UploadRow | None:
    """Return a session, or None."""
    return _uploads.row(tx.one(_GET_UPLOAD, b_id=ident))


def update_upload(tx: Tx, row: UploadRow) -> bool:
    """Replace a session's row; return whether it was there. A session has one writer at a time."""
    return tx.run(_UPDATE_UPLOAD, b_id=row.id, **_uploads.values(row)) == 1


def delete_upload(tx: Tx, ident: str) -> None:
    """Forget a session and its parts."""
    tx.run(_DELETE_PARTS, b_id=ident)
    tx.run(_DELETE_UPLOAD, b_id=ident)


def uploads_before(tx: Tx, time: Micros, limit: int) -> list[UploadRow]:
    """Return sessions begun before an instant, oldest first."""
    return _uploads.rows(tx.rows(_OLD_UPLOADS, b_time=time, limit=limit))


def put_part(tx: Tx, row: PartRow) -> PartRow | None:
    """Add a part; return the one of the same number that it replaces, or None."""
    old = _parts.row(tx.one(_GET_PART, b_id=row.upload, b_number=row.number))
    tx.run(_DELETE_PART, b_id=row.upload, b_number=row.number)
    _parts.insert(tx, row)
    return old


def list_parts(tx: Tx, upload: str) -> list[PartRow]:
    """Return a session's parts by number."""
    return _parts.rows(tx.rows(_LIST_PARTS, b_id=upload))


def add_chore(tx: Tx, row: Chore) -> None:
    """Promise to bring files in line."""
    _chores.insert(tx, row)


def all_chores(tx: Tx) -> list[Chore]:
    """Return every open promise."""
    return _chores.rows(tx.rows(_ALL_CHORES))


def drop_chores(tx: Tx, idents: Sequence[str]) -> None:
    """Withdraw promises that are kept."""
    tx.many(_DROP_CHORE, [{"b_id": ident} for ident in idents])
