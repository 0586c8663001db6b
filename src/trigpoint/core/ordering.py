"""Reads `order_by` (AIP-132): `display_name, create_time desc`; which fields can order is the kernel's to say."""

import re
from typing import NamedTuple

from trigpoint.core import sentences
from trigpoint.core.errors import InvalidArgument, Violation

_TERM = re.compile(r"([A-Za-z_][\w.]*)(?:\s+(asc|desc))?", re.ASCII | re.IGNORECASE)
_LONGEST = 1000
_MOST = 8


class Term(NamedTuple):
    """One field to order by."""

    path: str
    """As the caller spelt it: `create_time` or `createTime`."""
    descending: bool


def parse(text: str, field: str = "order_by") -> tuple[Term, ...]:
    """Return the terms in their order; none for an empty text. InvalidArgument on `field` for anything else."""
    if not text.strip():
        return ()
    if len(text) > _LONGEST:
        raise _refused(field, sentences.LONG_ORDER.format(most=_LONGEST))
    terms: list[Term] = []
    for piece in text.split(","):
        found = _TERM.fullmatch(piece.strip())
        if found is None:
            raise _refused(field, sentences.NO_TERM.format(term=repr(piece.strip()[:100])))
        terms.append(Term(found[1], (found[2] or "").lower() == "desc"))
    if len(terms) > _MOST or len({term.path for term in terms}) < len(terms):
        raise _refused(field, sentences.ORDERED_TWICE.format(most=_MOST))
    return tuple(terms)


def _refused(field: str, why: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(field, sentences.BAD_ORDER.format(problem=why))])
