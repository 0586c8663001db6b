"""Answers `GET logs` and streams `GET logs/stream`; the reading is done by the slice."""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from trigpoint.console import guarding, sentences
from trigpoint.console.asking import Ask
from trigpoint.console.logs.wire import LogLine, LogLines, LogPage
from trigpoint.console.streams import Message, Source, Stream, frame
from trigpoint.console.wire import dump
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.domains.jobs import Jobs
from trigpoint.domains.logging import Choice, Entry, Following, Page, Place, Reading
from trigpoint.store import Store

LONGEST = 1 << 16
"""Characters of a line that a page gets."""
MOST = 1000
LOOK = 0.05
"""Seconds between two looks for more while replicas live."""
TOGETHER = 0.02
"""Seconds that lie between two messages, at least: lines are sent together."""
REST = 10.0
"""Seconds between two looks while none does: only a commit brings more."""
_PLACE = re.compile(r"(\d{1,17})~([\w.-]{0,200})", re.ASCII)


class Logs:
    """Reads for the log's page. Thread-safe; streams are for one event loop."""

    def __init__(
        self, store: Store, reading: Reading, jobs: Jobs, job_of: Callable[[Ask], str], pool: Executor
    ) -> None:
        self._store, self._reading, self._jobs, self._job_of, self._pool = store, reading, jobs, job_of, pool

    def page(self, ask: Ask) -> LogPage:
        """Return the lines `before` or `after` a place, from an instant on (`at`), or the newest."""
        choice, limit = self._choice(ask), ask.number("limit", 200, MOST) or 1
        given = [name for name in ("before", "after", "at") if ask.query.get(name)]
        if len(given) > 1:
            raise InvalidArgument(violations=[Violation(given[1], sentences.NOT_WITH.format(other=given[0]))])
        if not given:
            return _page(choice, self._reading.newest(choice, limit))
        if given == ["before"]:
            return _page(choice, self._reading.before(choice, _place(ask, "before"), limit))
        place = _place(ask, "after") if given == ["after"] else (ask.number("at", 0, 1 << 53), "")
        return _page(choice, self._reading.after(choice, place, limit))

    def open(self, ask: Ask) -> Stream:
        """Return the stream of what comes after a page's `follow`; without that, of everything."""
        choice = self._choice(ask)
        following = self._reading.follow(choice, ask.headers.get("last-event-id") or ask.query.get("after", ""))
        source = self._follow(choice, following)
        return Stream(
            {"": source},
            lambda _, one: frame(one.event, one, one.cursor),
            lambda: ask.prove().see(choice.job),
            ask.session.link,
        )

    def _choice(self, ask: Ask) -> Choice:
        query = ask.query
        return Choice(
            self._job_of(ask),
            query.get("task", ""),
            query.get("severity", ""),
            query.get("search", "")[:1000],
            str if ask.session.owner else guarding.words,
        )

    async def _follow(self, choice: Choice, following: Following) -> Source:
        """Yield `lines` as they come, then `end`; a commit of the job may bring more streams, or its end."""
        loop = asyncio.get_running_loop()
        with self._store.notifier.watch(choice.job) as watch:
            while True:
                quiet = following.quiet
                over = quiet and await loop.run_in_executor(self._pool, self._over, choice.job)
                if over:
                    following.changed()
                entries = await loop.run_in_executor(self._pool, _looked, choice, following)
                if entries is not None:
                    yield entries
                elif over and following.quiet:
                    yield Message("end", dump(LogLines(())), following.cursor)
                    return
                # What has only now become quiet is looked at once more: its job may be over.
                pause = TOGETHER if entries is not None else REST if quiet else LOOK
                if await watch.changed(pause):
                    following.changed()

    def _over(self, job: str) -> bool:
        found = self._jobs.find(job)
        return found is None or found.message.end_time is not None


def _looked(choice: Choice, following: Following) -> Message | None:
    entries = following.look()
    return Message("lines", dump(LogLines(_lines(choice, entries))), following.cursor) if entries else None


def _page(choice: Choice, page: Page) -> LogPage:
    return LogPage(
        _lines(choice, page.entries),
        _text(page.older) if page.older else "",
        _text(page.newer) if page.newer else "",
        page.follow,
    )


def _lines(choice: Choice, entries: Sequence[Entry]) -> list[LogLine]:
    return [
        LogLine(
            id=_text(one[:2]),
            time=one.time,
            task=one.stream.task,
            attempt=one.attempt,
            severity=one.severity,
            text=text[:LONGEST],
            cut=len(text) > LONGEST or not one.whole,
        )
        for one in entries
        for text in (choice.text_of(one),)
    ]


def _place(ask: Ask, name: str) -> Place:
    found = _PLACE.fullmatch(ask.text(name))
    if found is None:
        raise InvalidArgument(violations=[Violation(name, sentences.NO_PLACE)])
    return int(found[1]), found[2]


def _text(place: Place) -> str:
    return f"{place[0]}~{place[1]}"
