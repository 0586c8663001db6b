"""Pages of a job's log in both directions, and following it: every line once, whatever is printed meanwhile."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.domains.parts import NUMBER, Parts

from trigpoint.agent.logs import LogWriter
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.paging import Tokens
from trigpoint.core.pb.google.logging.v2.logging_pb import ListLogEntriesRequest
from trigpoint.domains.logging import Choice, Entry, Following, Logging, Page, Stream
from trigpoint.domains.logging import reading as rules
from trigpoint.store import events

JOB = f"projects/{NUMBER}/locations/us-central1/customJobs/77"
ALL = Choice(JOB)


class Log:
    """A job whose replicas print what tests say; every write is stamped after the one before."""

    def __init__(self, parts: Parts, attempts: Path) -> None:
        self.parts, self.attempts = parts, attempts
        self.logging = Logging(parts.store, attempts, Tokens(b"k" * 32), lambda one: one, lambda number: "demo")
        self.reading = self.logging.reading
        self._writers: dict[tuple[int, str], LogWriter] = {}
        parts.store.write(lambda tx: self.logging.announce(tx, NUMBER, JOB, parts.kernel.clock.now()))

    def replica(self, task: str, attempt: int = 1) -> LogWriter:
        uid = f"77-{attempt}"
        stream = Stream(NUMBER, JOB, "77", task, uid, self.parts.kernel.clock.now())
        self.parts.store.write(lambda tx: self.logging.open(tx, stream))
        made = LogWriter(str(self.attempts / uid / task / "logs"), 1 << 40, lambda: None)
        self._writers[attempt, task] = made
        return made

    def say(self, text: str) -> None:
        now = self.parts.kernel.clock.now()
        told = {"log": text}
        self.parts.store.write(
            lambda tx: events.append(tx, time=now, project=NUMBER, subject=JOB, kind="customJob.x", data=told)
        )

    def end(self, attempt: int = 1) -> None:
        self.parts.store.write(lambda tx: self.logging.close(tx, f"77-{attempt}", self.parts.kernel.clock.now()))


@pytest.fixture
def log(parts: Parts, tmp_path: Path) -> Log:
    return Log(parts, tmp_path / "attempts")


def texts(found: Page | list[Entry]) -> list[str]:
    return [one.text for one in (found.entries if isinstance(found, Page) else found)]


def backwards(log: Log, choice: Choice, limit: int) -> Iterator[Page]:
    page = log.reading.newest(choice, limit)
    yield page
    while page.older is not None:
        page = log.reading.before(choice, page.older, limit)
        yield page


def drained(following: Following) -> list[str]:
    found: list[str] = []
    while entries := following.look():
        found += texts(entries)
    return found


def test_pages_meet_in_both_directions(log: Log) -> None:
    first, second = log.replica("workerpool0-0"), log.replica("workerpool1-0")
    wanted = []
    for number in range(100):
        if number % 10 == 0:
            log.say(f"{number} service")
            wanted.append(f"{number} service")
        writer, stream = (first, second)[number % 2], ("stdout", "stderr")[number // 2 % 2]
        writer.write(stream, f"{number} a\n{number} b\n".encode())
        wanted += [f"{number} a", f"{number} b"]
    whole = texts(log.reading.newest(ALL, 1000))
    assert sorted(whole, key=lambda text: int(text.split()[0])) == wanted
    pages = list(backwards(log, ALL, 7))
    assert [text for page in reversed(pages) for text in texts(page)] == whole
    page = log.reading.after(ALL, (0, ""), 9)
    found = texts(page)
    while page.newer is not None:
        page = log.reading.after(ALL, page.newer, 9)
        found += texts(page)
    assert found == whole
    assert page.follow


def test_a_page_from_an_instant_goes_on_in_both_directions(log: Log) -> None:
    writer = log.replica("workerpool0-0")
    for number in range(50):
        writer.write("stdout", b"%d\n" % number)
    entries = log.reading.newest(ALL, 1000).entries
    page = log.reading.after(ALL, (entries[20].time, ""), 5)
    assert texts(page) == ["20", "21", "22", "23", "24"]
    assert page.older is not None
    assert page.newer is not None
    assert texts(log.reading.before(ALL, page.older, 3)) == ["17", "18", "19"]
    assert texts(log.reading.after(ALL, page.newer, 2)) == ["25", "26"]


def test_what_is_chosen_is_found_by_steps_and_no_step_looks_at_everything(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_LOOKED_AT", 100)
    writer = log.replica("workerpool0-0")
    for number in range(1000):
        writer.write("stderr" if number == 3 else "stdout", b"%d NEEDLE\n" % number if number == 700 else b"hay\n")
    pages = list(backwards(log, Choice(JOB, search="needle"), 10))
    assert [text for page in pages for text in texts(page)] == ["700 NEEDLE"]
    assert len(pages) > 10
    assert [t for page in backwards(log, Choice(JOB, severity="ERROR"), 10) for t in texts(page)] == ["hay"]
    assert [t for page in backwards(log, Choice(JOB, task="workerpool9-0"), 10) for t in texts(page)] == []
    with pytest.raises(InvalidArgument):
        Choice(JOB, severity="LOUD")


def test_structured_lines_have_their_own_severity(log: Log) -> None:
    log.replica("workerpool0-0").write("stdout", b'{"severity": "warning", "message": "hot"}\n{"not": closed\n')
    found = log.reading.newest(ALL, 10).entries
    assert [one.severity for one in found] == ["WARNING", "INFO"]
    assert texts(log.reading.newest(Choice(JOB, severity="WARNING"), 10)) == [
        '{"severity": "warning", "message": "hot"}'
    ]


def test_following_goes_on_where_the_page_ended(log: Log) -> None:
    writer = log.replica("workerpool0-0")
    writer.write("stdout", b"before\nhalf")
    page = log.reading.newest(ALL, 10)
    assert texts(page) == ["before"]
    writer.write("stderr", b"between\n")
    writer.write("stdout", b" and half\n")
    following = log.reading.follow(ALL, page.follow)
    assert drained(following) == ["half and half", "between"]
    log.say("the service says something")
    assert drained(following) == []
    following.changed()
    assert drained(following) == ["the service says something"]


def test_a_line_that_is_completed_late_is_not_lost_to_who_comes_back(log: Log) -> None:
    writer = log.replica("workerpool0-0")
    writer.write("stdout", b"slow...")
    writer.write("stderr", b"quick\n")
    following = log.reading.follow(ALL, "")
    assert drained(following) == ["quick"]
    again = log.reading.follow(ALL, following.cursor)
    writer.write("stdout", b"done\n")
    assert drained(again) == ["slow...done"]


def test_following_meets_new_attempts_and_is_quiet_when_all_have_ended(log: Log) -> None:
    log.replica("workerpool0-0").write("stdout", b"one\nrest")
    following = log.reading.follow(ALL, "")
    assert drained(following) == ["one"]
    assert not following.quiet
    log.end()
    following.changed()
    assert drained(following) == ["rest"]
    assert following.quiet
    log.replica("workerpool0-0", attempt=2).write("stdout", b"two\n")
    again = log.reading.follow(ALL, following.cursor)
    assert drained(again) == ["two"]
    assert [one.attempt for one in log.reading.newest(ALL, 10).entries] == [1, 1, 2]


def test_much_at_once_comes_in_parts_and_every_replica_has_its_turn(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_BYTES", 1000)
    monkeypatch.setattr(rules, "_AT_ONCE", 20)
    writers = [log.replica(f"workerpool0-{index}") for index in range(3)]
    numbers = count()
    for writer in writers:
        for _ in range(200):
            writer.write("stdout", b"%d\n" % next(numbers))
    following = log.reading.follow(ALL, "")
    looks: list[list[str]] = []
    while entries := following.look():
        looks.append(texts(entries))
    assert sorted(int(text) for look in looks for text in look) == list(range(600))
    assert max(len(look) for look in looks) <= 60
    assert {int(text) // 200 for look in looks[:4] for text in look} == {0, 1, 2}


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1/workerpool0-0:what",
        "service/service:x",
        "service/service:٣",
        "service/service:" + "9" * 19,
        "service/service:" + "9" * 5000,
        "1/w:;",
        "1/workerpool0-0:stdout-1-2",
    ],
)
def test_a_cursor_of_nobody_is_refused(log: Log, cursor: str) -> None:
    with pytest.raises(InvalidArgument):
        log.reading.follow(ALL, cursor)


@pytest.mark.parametrize("filtered", ["", 'resource.labels.job_id="77" AND textPayload:"1"'])
def test_the_api_lists_the_same_in_both_orders(log: Log, filtered: str) -> None:
    writer = log.replica("workerpool0-0")
    log.say("1 service")
    for number in range(120):
        writer.write("stdout", b"%d\n" % number)
    listed = {}
    for order in ("timestamp asc", "timestamp desc"):
        found: list[str] = []
        token = ""
        while True:
            asked = ListLogEntriesRequest(
                resource_names=[f"projects/{NUMBER}"],
                filter=filtered,
                order_by=order,
                page_size=50,
                page_token=token,
            )
            page = log.logging.handlers()["google.logging.v2.LoggingServiceV2.ListLogEntries"](log.parts.call, asked)
            found += [entry.insert_id for entry in page.entries]
            token = page.next_page_token
            if not token:
                break
        listed[order] = found
    assert len(listed["timestamp asc"]) > 20
    assert listed["timestamp asc"] == listed["timestamp desc"][::-1]
