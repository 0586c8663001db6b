import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigpoint.agent import protocol as p
from trigpoint.agent.logs import LogWriter, Pump, cause
from trigpoint.core.errors import InvalidArgument
from trigpoint.runtime.logs import MAX_LINE, START, Line, LogReader
from trigpoint.runtime.marks import Marks


def writer(path: Path, limit: int = 1 << 30) -> LogWriter:
    return LogWriter(str(path), limit, lambda: None)


def everything(reader: LogReader, limit: int) -> list[Line]:
    lines: list[Line] = []
    cursor = START
    while True:
        page, cursor = reader.read(cursor, limit, ended=True)
        if not page:
            return lines
        assert len(page) <= limit
        lines.extend(page)


CHUNKS = st.lists(st.tuples(st.sampled_from(p.STREAMS), st.binary(max_size=40)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(CHUNKS, st.integers(1, 7), st.booleans())
def test_every_byte_comes_back_in_lines(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[str, bytes]], limit: int, rotate: bool
) -> None:
    path = tmp_path_factory.mktemp("logs")
    log = writer(path)
    for index, (stream, data) in enumerate(chunks):
        if rotate and index % 5 == 4:
            log.close()
            log = writer(path)  # as an agent does that takes over
        log.write(stream, data)
    log.close()
    lines = everything(LogReader(path), limit)
    for stream in p.STREAMS:
        wanted = b"".join(data for s, data in chunks if s == stream)
        assert b"\n".join(line.data for line in lines if line.stream == stream) == wanted.removesuffix(b"\n")
    assert len({line.id for line in lines}) == len(lines)


@settings(max_examples=60, deadline=None)
@given(CHUNKS, st.booleans(), st.integers(1, 40), st.booleans())
def test_backwards_is_forwards_reversed_from_every_place(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[str, bytes]], rotate: bool, spacing: int, ended: bool
) -> None:
    path = tmp_path_factory.mktemp("logs")
    log = writer(path)
    for index, (stream, data) in enumerate(chunks):
        if rotate and index % 5 == 4:
            log.close()
            log = writer(path)
        log.write(stream, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trigpoint.runtime.marks.SPACING", spacing)
        reader = LogReader(path)
        forward = list(reader.lines(ended=ended))
        assert list(reader.lines_back(reader.end(ended), ended)) == forward[::-1]
        for line in forward:
            older = [one for one in reader.lines_back(reader.after(line.time), ended) if one.time <= line.time]
            assert older == [one for one in forward if one.time <= line.time][::-1]
            later = [one for one in reader.lines(reader.at(line.time), ended=ended) if one.time >= line.time]
            assert later == [one for one in forward if one.time >= line.time]
        whole, end = list(reader.lines()), reader.end()
        log.write("stdout", b"more\nand more\n")
        assert list(reader.lines(until=end)) == whole
        fresh, _ = reader.read(end)
        assert [line.data for line in fresh][-1:] == [b"and more"]


def test_marks_grow_with_their_segment_and_are_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigpoint.runtime.marks.SPACING", 200)
    marks = Marks()
    reader = LogReader(tmp_path, marks)
    log = writer(tmp_path)
    for number in range(100):
        log.write("stdout", b"%d %s\n" % (number, b"x" * 50))
    path = tmp_path / p.segment_name("stdout", 0)
    first = marks.of(path, path.read_bytes())
    assert len(first) > 10
    log.write("stdout", b"y" * 1000 + b"\nz\n")
    assert marks.of(path, path.read_bytes())[: len(first)] == first
    last = next(iter(reader.lines_back(reader.end())))
    assert last.data == b"z"


def test_one_page_holds_no_more_than_it_may(tmp_path: Path) -> None:
    log = writer(tmp_path)
    for _ in range(10):
        log.write("stdout", b"x" * 100_000 + b"\n")
    reader = LogReader(tmp_path)
    first, cursor = reader.read(enough=250_000)
    rest, _ = reader.read(cursor)
    assert (len(first), len(rest)) == (3, 7)


def test_a_segment_that_is_closed_while_it_is_read_loses_nothing(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.write("stdout", b"1\n2\n")
    reader = LogReader(tmp_path)
    lines = reader.lines()
    assert next(lines).data == b"1"
    log.write("stdout", b"3\n")
    log.close()
    writer(tmp_path).write("stdout", b"4\n")
    assert [line.data for line in lines] == [b"2"]
    _, cursor = reader.read(limit=2)
    assert [line.data for line in reader.read(cursor)[0]] == [b"3", b"4"]


def test_dots_without_a_newline_cost_little(tmp_path: Path) -> None:
    log = writer(tmp_path)
    for _ in range(50_000):
        log.write("stdout", b".")
    log.write("stdout", b"\n")
    assert [len(line.data) for line in LogReader(tmp_path).read()[0]] == [50_000]


def test_lines_keep_their_order_when_the_clock_steps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([5_000_000, 5_000_000, 1_000_000, 6_000_000])
    monkeypatch.setattr("trigpoint.agent.logs.time.time_ns", lambda: next(ticks))
    log = writer(tmp_path)
    for n, stream in enumerate(["stdout", "stderr", "stdout", "stderr"]):
        log.write(stream, b"%d\n" % n)
    lines, _ = LogReader(tmp_path).read()
    assert [(line.data, line.time) for line in lines] == [(b"0", 5000), (b"1", 5001), (b"2", 5002), (b"3", 6000)]


def test_lines_come_in_order_of_time_and_follow_a_time(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.write("stdout", b"1\n2")
    log.write("stderr", b"3\n")
    log.write("stdout", b"x\n4\n")
    reader = LogReader(tmp_path)
    lines, _ = reader.read()
    assert [line.data for line in lines] == [b"1", b"2x", b"3", b"4"]
    later, _ = reader.read(reader.at(lines[2].time))
    assert [line.data for line in later] == [b"2x", b"3", b"4"]


def test_a_line_in_the_making_is_held_back(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.write("stdout", b"part")
    reader = LogReader(tmp_path)
    lines, cursor = reader.read()
    assert lines == []
    log.write("stdout", b"ial\n")
    assert [line.data for line in reader.read(cursor)[0]] == [b"partial"]


def test_a_giant_line_is_bounded(tmp_path: Path) -> None:
    log = writer(tmp_path)
    for _ in range(20):
        log.write("stdout", b"x" * 100_000)
    log.write("stdout", b"\nafter\n")
    lines = everything(LogReader(tmp_path), 3)
    assert max(len(line.data) for line in lines) == MAX_LINE
    assert b"".join(line.data for line in lines[:-1]) == b"x" * 2_000_000
    assert [line.whole for line in lines] == [False] * 7 + [True, True]


def test_a_torn_frame_hides_nothing_that_follows(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.write("stdout", b"first\n")
    log.close()
    with open(tmp_path / p.segment_name("stdout", 0), "ab") as file:
        file.write(p.frame(1, 500) + b"only a part of it")
    writer(tmp_path).write("stdout", b"second\n")
    assert [line.data for line in everything(LogReader(tmp_path), 10)] == [b"first", b"second"]


def test_segments_are_closed_when_they_are_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p, "SEGMENT_BYTES", 100)
    log = writer(tmp_path)
    for number in range(50):
        log.write("stdout", b"%d\n" % number)
    assert len(list(tmp_path.iterdir())) > 5
    lines = everything(LogReader(tmp_path), 7)
    assert [int(line.data) for line in lines] == list(range(50))
    reader = LogReader(tmp_path)
    assert reader.read(reader.at(lines[40].time))[0][0].data == b"40"


def test_a_log_has_a_limit(tmp_path: Path) -> None:
    log = writer(tmp_path, limit=1000)
    for _ in range(100):
        log.write("stdout", b"x" * 99 + b"\n")
    lines = everything(LogReader(tmp_path), 100)
    assert len(lines) == 11
    assert b"limit" in lines[-1].data


def test_following_ends_with_the_program(tmp_path: Path) -> None:
    log = writer(tmp_path)
    done = threading.Event()

    def produce() -> None:
        for number in range(200):
            log.write("stdout", b"%d\n" % number)
        log.write("stdout", b"last")
        done.set()

    threading.Thread(target=produce).start()
    seen = [line.data for line in LogReader(tmp_path).follow(START, done.is_set)]
    assert seen == [b"%d" % n for n in range(200)] + [b"last"]


@pytest.mark.parametrize("cursor", ["x", "stdout-1", "stdout-1-2-x", "other-1-2-3", "stdout-1-2-99999999999999999"])
def test_a_strange_cursor_is_refused(tmp_path: Path, cursor: str) -> None:
    with pytest.raises(InvalidArgument):
        LogReader(tmp_path).read(cursor)


def test_a_pump_moves_what_pipes_hold_and_gives_up_on_strangers(tmp_path: Path) -> None:
    log = writer(tmp_path)
    out, write_out = os.pipe()
    error, write_error = os.pipe()
    pump = Pump(log, {out: "stdout", error: "stderr"})
    pump.start()
    os.write(write_out, b"a\xff\n")
    os.write(write_error, b"b\n")
    os.close(write_out)
    pump.finish(0.3)
    os.close(write_error)
    assert log.bytes == {"stdout": 3, "stderr": 2}
    assert log.tail() == "b\n"


@pytest.mark.parametrize(
    ("tail", "line"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("Traceback (most recent call last):\n  File x\n    y\nValueError: no\nlast words\n", "ValueError: no"),
        ("Traceback (most recent call last):\n  a\nKeyError: 1\n\nDuring …\n\nTraceback (most recent call last):\n"
         "  b\npkg.mod.OwnError: x: y\n", "pkg.mod.OwnError: x: y"),
        ("Traceback (most recent call last):\n  a\nAssertionError\n", "AssertionError"),
    ],
)  # fmt: skip
def test_the_cause_is_the_last_line_of_the_traceback(tail: str, line: str) -> None:
    assert cause(tail) == line


@pytest.mark.parametrize("call", ["open", "writev"])
def test_a_full_disk_costs_what_it_could_not_hold_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    log = writer(tmp_path)
    log.write("stdout", b"before\n")
    with monkeypatch.context() as patched:
        patched.setattr("trigpoint.agent.logs.os." + call, _refuse)
        log.write("stdout", b"while\n")
        log.write("stderr", b"lost\n")
    log.write("stdout", b"after\n")
    log.write("stderr", b"more\n")
    log.close()
    lines = [(line.stream, line.data) for line in everything(LogReader(tmp_path), 10)]
    assert ("stdout", b"before") in lines
    assert ("stderr", b"more") in lines
    lost = {"open": b"5", "writev": b"11"}[call]
    assert ("runner", lost + b" bytes of output are missing here: they could not be written.") in lines


def test_a_segment_that_cannot_be_made_leaves_the_files_of_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = writer(tmp_path)
    log.write("stdout", b"x")
    monkeypatch.setattr(p, "SEGMENT_BYTES", 1)
    real = os.open
    with monkeypatch.context() as patched:
        patched.setattr("trigpoint.agent.logs.os.open", _refuse)
        log.write("stdout", b"y")
        other = real(tmp_path / "other", os.O_RDWR | os.O_CREAT)
        log.write("stdout", b"z")
    os.write(other, b"kept")
    assert (tmp_path / "other").read_bytes() == b"kept"
    os.close(other)
    log.write("stdout", b"w")
    log.close()


def _refuse(*given: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
