"""A long recording is replayed while it is looked at."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from uffdviz.course.shelf import CourseShelf
from uffdviz.errors import RecordingError, ReplayDivergedError
from uffdviz.run import rest
from uffdviz.run.commands import run_command
from uffdviz.trace.recording import digest


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rest, "LONG", 10)
    file = tmp_path / "copy.jsonl"
    _ = run_command("copy", "", (), ("", "schedule"), "time", 0, file, json=False)
    return file


def test_it_opens_before_anything_is_replayed(path: Path) -> None:
    session = CourseShelf().open_recording(str(path))
    assert session.length == 0
    assert session.behind > 10


def test_who_stands_at_the_end_goes_along(path: Path) -> None:
    session = CourseShelf().open_recording(str(path))
    whole = session.behind
    session.read_on(7)
    assert (session.n, session.behind) == (7, whole - 7)
    session.read_on(10_000)
    assert (session.n, session.behind) == (whole, 0)


def test_who_looks_back_stays_there(path: Path) -> None:
    session = CourseShelf().open_recording(str(path))
    session.read_on(7)
    asyncio.run(session.seek(3))
    session.read_on(7)
    assert (session.n, session.length) == (3, 14)


def test_the_next_step_is_the_recorded_one(path: Path) -> None:
    session = CourseShelf().open_recording(str(path))
    before = session.behind
    asyncio.run(session.step(session.upcoming()))
    assert session.behind == before - 1


def test_an_event_that_differs_ends_the_replay(path: Path) -> None:
    first, *lines, last = path.read_bytes().splitlines()
    lines[4] = lines[4].replace(b'"end":', b'"end":9')
    body = b"".join(line + b"\n" for line in (first, *lines))
    end = {**msgspec.json.decode(last), "digest": digest(body)}
    _ = path.write_bytes(body + msgspec.json.encode(end) + b"\n")
    session = CourseShelf().open_recording(str(path))
    with pytest.raises(ReplayDivergedError, match="event 5"):
        session.read_on(100)
    assert (session.length, session.behind) == (5, 0)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-40], lambda d: d[20:], lambda d: d.replace(b"gc", b"xx")]
)
def test_a_damaged_file_is_refused(path: Path, damage: object) -> None:
    _ = path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(RecordingError):
        _ = CourseShelf().open_recording(str(path))
