"""Field masks: what of a message a reader gets, and what of it a writer changes; which fields may change is handed in.

Paths come in either spelling (`display_name` over gRPC, `displayName` in a query) and may lead into maps and Structs
(`pipeline_spec.pipeline_info`). Read masks ignore what does not exist, because clients send such paths; update masks
refuse it (sdk-contract.md section 2.2, Field masks).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal, TypeVar

from trigpoint.core import messages, sentences
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.messages import FieldMask, Message, Oneof, Struct, Value
from trigpoint.core.messages.shapes import Field, shape

M = TypeVar("M", bound=Message)
_MOST = 1000
"""Paths of one mask; more is refused."""
_LONGEST, _DEEPEST = 2000, 100
"""Characters and parts of one path: more lead nowhere, and looking for where takes its time."""
_QUOTE = "`"


def read(message: M, paths: Collection[str]) -> M:
    """Return a copy with only what the paths name: everything for none or `*`; unknown paths add nothing."""
    whole = messages.copy(message)
    if not paths or "*" in paths:
        return whole
    result = type(message)()
    for path in _limited(paths, "read_mask"):
        _copy(result, whole, _parts(path))
    return result


def update(target: M, given: M, paths: Iterable[str], field: str = "update_mask") -> None:
    """Set each named field of `target` to what `given` holds, in place; what `given` leaves out is cleared.

    `*` replaces every field. InvalidArgument on `field` for a path that the message does not have.
    """
    whole = messages.copy(given)
    for path in _limited(paths, field):
        if path == "*":
            _replace(target, whole, [known.name for known in shape(type(target)).fields])
        elif not _set(target, whole, _parts(path)):
            known = ", ".join(known.name for known in shape(type(target)).fields)
            text = sentences.NO_FIELD.format(path=repr(path[:100]), fields=known[:400])
            raise InvalidArgument(violations=[Violation(field, text)])


def merged(stored: M, given: M, mask: FieldMask | None, mutable: Collection[str], field: str = "update_mask") -> M:
    """Return `stored` changed to what `given` holds in the fields of the mask, as AIP-134 says.

    Without a mask, or with an empty one, the fields that `given` fills are taken; `*` takes every mutable one.
    InvalidArgument on `field` for a path that is unknown, or whose first part is not in `mutable` (snake_case).
    """
    result = messages.copy(stored)
    paths = list(mask.paths) if mask is not None else []
    if not paths:
        update(result, given, [known.name for known in _filled(given) if known.name in mutable], field)
    elif "*" in paths:
        _replace(result, messages.copy(given), sorted(mutable))
    else:
        for path in paths:
            if (first := _top(type(stored), path)) not in mutable:
                told = {"path": repr(first or path[:100]), "fields": ", ".join(sorted(mutable))}
                text = sentences.NOT_MUTABLE.format(**told)
                raise InvalidArgument(violations=[Violation(field, text)])
        update(result, given, paths, field)
    return result


def _filled(message: Message) -> Iterator[Field]:
    return (field for field in shape(type(message)).fields if field.present(message))


def _top(cls: type[Message], path: str) -> str:
    """Return the snake_case name of the field that a path begins with, or empty when there is none."""
    found = shape(cls).by_name.get(next(iter(_parts(path)), ""))
    return found.name if found else ""


def _limited(paths: Iterable[str], field: str) -> list[str]:
    listed = list(paths)
    if len(listed) > _MOST:
        raise InvalidArgument(violations=[Violation(field, sentences.MANY_PATHS.format(count=len(listed), most=_MOST))])
    for path in listed:
        if len(path) > _LONGEST or path.count(".") >= _DEEPEST:
            text = sentences.LONG_MASK.format(path=repr(path[:100]), most=_LONGEST, deepest=_DEEPEST)
            raise InvalidArgument(violations=[Violation(field, text)])
    return listed


def _parts(path: str) -> list[str]:
    """Split at the dots outside of backquotes; a map key with dots is quoted with them (AIP-161)."""
    parts: list[str] = []
    for index, piece in enumerate(path.split(_QUOTE)):
        if index % 2:
            parts.append(piece)
        else:
            parts.extend(part for part in piece.split(".") if part)
    return parts


def _replace(target: Message, given: Message, names: Iterable[str]) -> None:
    for name in names:
        _assign(target, given, shape(type(target)).by_name[name])


def _assign(target: Message, source: Message, field: Field) -> None:
    """Make one whole field as it is in `source`."""
    if field.present(source):
        field.write(target, field.read(source))
    elif field.present(target):
        field.clear(target)


def _copy(target: Message, source: Message, parts: list[str]) -> None:
    """Add to `target` what `source` holds at a path; nothing where there is nothing."""
    if not parts:
        return
    if isinstance(source, Struct | Value):
        _copy_value(target, source, parts)
        return
    field = shape(type(source)).by_name.get(parts[0])
    if field is None or not field.present(source):
        return
    if len(parts) == 1:
        field.write(target, field.read(source))
    elif field.mapped:
        _copy_entry(field.read(target), field.read(source), field, parts[1:])
    elif field.repeated:
        _copy_elements(target, source, field, parts[1:])
    elif field.message is not None:
        if not field.present(target):
            field.write(target, field.message())
        _copy(field.read(target), field.read(source), parts[1:])


def _copy_entry(target: dict[Any, Any], source: dict[Any, Any], field: Field, parts: list[str]) -> None:
    key, rest = _entry(source, parts)
    if key is None:
        return
    if not rest:
        target[key] = source[key]
    elif field.message is not None:
        _copy(target.setdefault(key, field.message()), source[key], rest)


def _copy_elements(target: Message, source: Message, field: Field, parts: list[str]) -> None:
    """Go through a list: `worker_pool_specs.machine_spec` and `worker_pool_specs.*.machine_spec` mean each element."""
    if field.message is None:
        return
    items = field.read(source)
    kept = field.read(target) or [field.message() for _ in items]
    for mine, theirs in zip(kept, items, strict=True):
        _copy(mine, theirs, parts[1:] if parts[0] == "*" else parts)
    field.write(target, kept)


def _copy_value(target: Message, source: Struct | Value, parts: list[str]) -> bool:
    """Go into a Struct by its keys, whose spelling may be either; return whether the path led to something."""
    inner, outer = _fields(source), _fields(target)
    key, rest = _entry(inner, parts) if inner is not None else (None, [])
    if inner is None or key is None:
        return False
    if outer is None:
        outer = _emptied(target)
    if not rest:
        outer[key] = inner[key]
        return True
    known = key in outer
    found = _copy_value(outer.setdefault(key, Value()), inner[key], rest)
    if not found and not known:
        del outer[key]
    return found


def _fields(held: Message) -> dict[str, Value] | None:
    """Return the entries of a Struct, or of a Value that is one."""
    if isinstance(held, Value):
        if held.kind is None or held.kind.field != "struct_value":
            return None
        held = held.kind.value
    return held.fields if isinstance(held, Struct) else None


def _emptied(held: Message) -> dict[str, Value]:
    """Make a Value an empty Struct and return its entries."""
    assert isinstance(held, Value)
    empty = Struct()
    held.kind = Oneof[Literal["struct_value"], Struct](field="struct_value", value=empty)
    return empty.fields


def _entry(entries: dict[Any, Any], parts: list[str]) -> tuple[Any, list[str]]:
    """Return the key that the first parts spell, and the parts that are left; None when there is no such key.

    A key may itself hold dots (`labels.a.b`), and may be spelt in either case.
    """
    known = {_either(str(key)): key for key in reversed(entries)}
    for taken in range(len(parts), 0, -1):
        wanted = ".".join(parts[:taken])
        key = wanted if wanted in entries else known.get(_either(wanted))
        if key is not None:
            return key, parts[taken:]
    return None, []


def _either(name: str) -> str:
    """Return what both spellings of a name have in common."""
    return name.replace("_", "").lower()


def _set(target: Message, given: Message | None, parts: list[str]) -> bool:
    """Set what a path names; return whether the message has such a field."""
    field = shape(type(target)).by_name.get(parts[0]) if parts else None
    if field is None:
        return False
    if len(parts) == 1:
        _assign(target, given if given is not None else type(target)(), field)
        return True
    theirs = field.read(given) if given is not None else None
    if field.mapped:
        key = ".".join(parts[1:])
        _set_key(field.read(target), key, theirs or {})
        return True
    if field.repeated or field.message is None:
        return False
    mine = field.read(target) if field.present(target) else field.message()
    if isinstance(mine, Struct | Value):
        known = True
        _set_value(mine, theirs, parts[1:])
    else:
        known = _set(mine, theirs, parts[1:])
    if known and (theirs is not None or field.present(target)):
        field.write(target, mine)
    return known


def _set_key(target: dict[Any, Any], key: Any, given: dict[Any, Any]) -> None:
    if key in given:
        target[key] = given[key]
    else:
        target.pop(key, None)


def _set_value(target: Struct | Value, given: Struct | Value | None, parts: list[str]) -> None:
    """Make one place of a Struct as it is in `given`; what is there and no Struct gives way to one."""
    theirs = (_fields(given) if given is not None else None) or {}
    mine = _fields(target)
    if mine is None:
        mine = _emptied(target)
    key, rest = _entry(theirs, parts)
    if key is None:
        key, rest = _entry(mine, parts)
    if key is None:
        return
    if rest:
        _set_value(mine.setdefault(key, Value()), theirs.get(key), rest)
    else:
        _set_key(mine, key, theirs)
