"""Lists of entries: what is on a page, in which order, and how much of it, whatever programs print."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.agent.logs import LogWriter
from trigpoint.core import messages
from trigpoint.core.call import Call, Caller
from trigpoint.core.paging import Tokens
from trigpoint.core.pb.google.logging.v2.log_entry_pb import LogEntry
from trigpoint.core.pb.google.logging.v2.logging_pb import ListLogEntriesRequest, ListLogsRequest
from trigpoint.domains.logging import Logging, Stream
from trigpoint.domains.logging import rpc as rpc_module
from trigpoint.domains.logging.streams import _payload
from trigpoint.store import Store

OPERATOR = Call(Caller("op@demo-project.iam.gserviceaccount.com", "1", operator=True))
SERVICE = "google.logging.v2.LoggingServiceV2"


class World:
    """Logs of two projects, and what the API says of them."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(f"sqlite:///{folder}/main.db", f"sqlite:///{folder}/telemetry.db")
        self._folder = folder
        numbers = {"one": "1", "two": "2", "1": "1", "2": "2"}
        self._logging = Logging(self.store, folder, Tokens(b"k" * 32), numbers.get, lambda number: f"id-{number}")

    def write(self, project: str, *printed: bytes, task: str = "workerpool0-0", job: str = "7") -> None:
        """Have a replica print."""
        attempt = f"{project}{job}-1"
        name = f"projects/{project}/locations/us-central1/customJobs/{job}"
        stream = Stream(project, name, job, task, attempt, begun=1, ended=True)
        self.store.write(lambda tx: self._logging.open(tx, stream))
        log = LogWriter(str(self._folder / attempt / task / "logs"), 1 << 30, lambda: None)
        for data in printed:
            log.write("stdout", data)
        log.close()

    def page(self, **request: Any) -> Any:
        """Return one page."""
        return self._logging.handlers()[f"{SERVICE}.ListLogEntries"](OPERATOR, ListLogEntriesRequest(**request))

    def pages(self, **request: Any) -> list[list[str]]:
        """Return the texts of all pages."""
        found, token = [], ""
        while True:
            page = self.page(**request, page_token=token)
            found.append([text_of(entry) for entry in page.entries])
            token = page.next_page_token
            if not token:
                return found

    def logs(self, project: str) -> list[str]:
        """Return the names of a project's logs."""
        request = ListLogsRequest(parent=f"projects/{project}")
        return list(self._logging.handlers()[f"{SERVICE}.ListLogs"](OPERATOR, request).log_names)


def text_of(entry: Any) -> str:
    return str(messages.to_dict(entry).get("textPayload", "{}"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


ONE = {"resource_names": ["projects/one"]}


def test_a_page_holds_no_more_than_fits_into_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_module, "_LARGEST_PAGE", 1000)
    lines = [bytes([97 + number]) * (700 if number % 3 else 5000) for number in range(9)]
    world.write("1", *(line + b"\n" for line in lines))
    expected = [line.decode() for line in lines]
    for order, wanted in (("timestamp asc", expected), ("timestamp desc", expected[::-1])):
        pages = world.pages(**ONE, order_by=order)
        assert [text for page in pages for text in page] == wanted
        assert all(len(page) == 1 or sum(map(len, page)) <= 1000 for page in pages)


def test_a_search_that_finds_little_ends_its_pages_early(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_module, "_MOST_EXAMINED", 10)
    world.write("1", *(b"%d\n" % number for number in range(45)))
    pages = world.pages(**ONE, filter='textPayload="33"')
    assert pages == [[], [], [], ["33"], []]


@pytest.mark.parametrize("order", ["timestamp asc", "timestamp desc"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_of_two_projects_miss_nothing(world: World, order: str, size: int) -> None:
    for number in range(4):
        for project in ("1", "2"):
            world.write(project, b"%d\n" % (2 * number + int(project)), job=str(number))
    pages = world.pages(resource_names=["projects/one", "projects/two", "projects/1"], order_by=order, page_size=size)
    texts = [text for page in pages for text in page]
    assert texts == sorted(texts, key=int, reverse="desc" in order)
    assert len(texts) == 8


def test_streams_of_one_replica_stay_in_order_however_little_is_read_at_a_time(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trigpoint.runtime.marks.SPACING", 50)
    world.write("1")
    log = LogWriter(str(tmp_path / "17-1" / "workerpool0-0" / "logs"), 1 << 30, lambda: None)
    for number in range(200):
        log.write("stderr" if number % 7 == 0 else "stdout", b"%d %s\n" % (number, b"x" * (number % 30)))
    texts = [text for page in world.pages(**ONE, page_size=30) for text in page]
    assert [int(text.split()[0]) for text in texts] == list(range(200))


def test_the_end_of_a_long_log_is_had_without_reading_it_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_module, "_MOST_EXAMINED", 20)
    world.write("1", *(b"%d\n" % number for number in range(2000)))
    first = world.page(**ONE, order_by="timestamp desc", page_size=7)
    second = world.page(**ONE, order_by="timestamp desc", page_size=7, page_token=first.next_page_token)
    texts = [text_of(entry) for page in (first, second) for entry in page.entries]
    assert texts == [str(number) for number in range(1999, 1985, -1)]


def test_a_search_from_the_end_that_finds_little_ends_its_pages_early(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_module, "_MOST_EXAMINED", 100)
    world.write("1", *(b"%d\n" % number for number in range(500)))
    pages = world.pages(**ONE, filter='textPayload="33"', order_by="timestamp desc")
    assert [text for page in pages for text in page] == ["33"]
    assert len(pages) > 2


def test_one_line_keeps_nobody_from_the_others(world: World) -> None:
    deep = b'{"a":' * 150 + b"1" + b"}" * 150
    world.write("1", b"before\n", deep + b"\n", b'{"a": 1e999}\n', b'{"a": "\\ud800"}\n', b"after\n")
    texts = [text for page in world.pages(**ONE) for text in page]
    assert texts == ["before", deep.decode(), '{"a": 1e999}', '{"a": "\\ud800"}', "after"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("severity"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text() | st.sampled_from(["message", "@type", "time"]), _JSON), st.integers(0, 120))
def test_whatever_is_printed_makes_an_entry(printed: dict[str, Any], depth: int) -> None:
    text = '{"x":' * depth + json.dumps(printed) + "}" * depth
    messages.from_dict(LogEntry, {"logName": "l", "insertId": "i"} | _payload(text, "INFO"))


def test_logs_are_named_without_reading_them(world: World) -> None:
    world.write("1", b"something\n")
    world.write("1", task="workerpool1-0")
    assert world.logs("one") == ["projects/id-1/logs/workerpool0-0"]
