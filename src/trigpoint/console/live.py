"""What pages follow: the topics of `GET live`, several in one stream. What a topic tells is its own affair."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import orjson

from trigpoint.console import sentences
from trigpoint.console.access import Session
from trigpoint.console.asking import Ask
from trigpoint.console.streams import Message, Source, Stream, frame
from trigpoint.core import status
from trigpoint.core.errors import InvalidArgument, TrigpointError, Violation

MOST_TOPICS = 16


class Topic(Protocol):
    """Something that pages follow. The name of a topic is a kind and an argument: `project/P`, `run/NAME`."""

    def admit(self, session: Session, argument: str) -> None:
        """Raise PermissionDenied unless the session may follow this; blocks."""
        ...

    def follow(self, argument: str, after: str) -> Source:
        """Yield messages for ever; `after` is the cursor of the last one that a broken stream had, else empty.

        What is raised of core.errors ends the topic, not the stream: the page is told.
        """
        ...


class Live:
    """Opens streams of topics. Topics are registered by their kind."""

    def __init__(self, topics: Mapping[str, Topic]) -> None:
        self._topics = topics

    def open(self, ask: Ask) -> Stream:
        """Return the stream of a request. A topic that may not be followed is `gone`; refused when all are."""
        names = list(dict.fromkeys(ask.every("topic")))
        if not 0 < len(names) <= MOST_TOPICS:
            raise InvalidArgument(violations=[Violation("topic", sentences.TOPIC_COUNT.format(most=MOST_TOPICS))])
        cursors = _cursors(ask.headers.get("last-event-id") or ask.query.get("after", ""))
        sources: dict[str, Source] = {}
        admitted: list[tuple[Topic, str]] = []
        refusal: TrigpointError | None = None
        for name in names:
            topic, argument = self._chosen(name)
            try:
                topic.admit(ask.session, argument)
            except TrigpointError as error:
                refusal, sources[name] = error, _gone(error)
            else:
                admitted.append((topic, argument))
                sources[name] = _guarded(topic.follow(argument, cursors.get(name, "")))
        if refusal is not None and not admitted:
            raise refusal
        return Stream(sources, _framed(cursors, names), lambda: _admit(ask, admitted), ask.session.link)

    def _chosen(self, name: str) -> tuple[Topic, str]:
        kind, _, argument = name.partition("/")
        topic = self._topics.get(kind)
        if topic is None or not argument or not name.isascii() or not name.isprintable():
            raise InvalidArgument(violations=[Violation("topic", sentences.NO_TOPIC.format(name=repr(name[:100])))])
        return topic, argument


def _admit(ask: Ask, admitted: Sequence[tuple[Topic, str]]) -> None:
    session = ask.prove()
    for topic, argument in admitted:
        topic.admit(session, argument)


def _cursors(ident: str) -> dict[str, str]:
    """Return what an id of a stream says: topics and their cursors; nothing for one that is none of ours."""
    try:
        found = orjson.loads(ident)
    except orjson.JSONDecodeError:
        return {}
    return {str(name): str(cursor) for name, cursor in found.items()} if isinstance(found, dict) else {}


def _framed(cursors: Mapping[str, str], names: Sequence[str]) -> Callable[[str, Message], bytes]:
    """Return what frames messages as `TOPIC|EVENT` with the cursors of all topics as the id."""
    reached = {name: cursors[name] for name in names if name in cursors}

    def framed(name: str, message: Message) -> bytes:
        if message.cursor:
            reached[name] = message.cursor
        return frame(f"{name}|{message.event}", message, orjson.dumps(reached).decode() if message.cursor else "")

    return framed


async def _guarded(source: Source) -> Source:
    """Yield what a topic yields; when it fails, say so, and let the other topics go on."""
    try:
        async for message in source:
            yield message
    except TrigpointError as error:
        async for message in _gone(error):
            yield message
    finally:
        await source.aclose()


async def _gone(error: TrigpointError) -> Source:
    yield Message("gone", status.body(error))
    await asyncio.Event().wait()
