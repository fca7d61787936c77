"""What `compare` says of runs that were cut short, of results that were not met, and of its rows."""

import json
import multiprocessing
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uffdviz.errors import UffdvizError
from uffdviz.run import compare_command as command
from uffdviz.run import sweep
from uffdviz.run.commands import run_command
from uffdviz.run.compare_command import compare_command
from uffdviz.run.measure import Plan, Progress, measure
from uffdviz.run.watch import Watch

ERAS = "v6.8,v6.9"
NONE = ("", "schedule")
UNMET = """
title = "a result that is not met"
era = "v6.9"
[[uffd]]
name = "gc"
[[vma]]
name = "a"
pages = 100
anon_vma = true
uffd = { ctx = "gc", modes = ["missing"] }
[[vma]]
name = "b"
pages = 4
present = ["0-3"]
[[task]]
name = "g"
repeat = 20
calls = [ { op = "UFFDIO_COPY", dst = "a", src = "b", pages = 1, step = { dst = 1 }, returns = -1 } ]
"""
MAPS = """
title = "mappings that come again under one name"
era = "v6.9"
[[vma]]
name = "heap"
pages = 1
[[task]]
name = "app"
repeat = 3
calls = [ { op = "mmap", name = "s", pages = 1 }, { op = "munmap", at = "s", pages = 1 } ]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "here.toml"
        path.write_text(text)
        return str(path)

    return write


def compared(name: str, schedule: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
    said = (schedule, "schedule")
    status, lines = compare_command(name, ERAS, (), said, json=True, **more)
    return status, json.loads("\n".join(lines))


def in_words(name: str, **more: Any) -> str:
    return "\n".join(compare_command(name, ERAS, (), NONE, json=False, **more)[1])


@pytest.mark.parametrize("small", [20_000, 10])
def test_results_that_are_not_met_are_a_finding_however_long_the_run(
    scenario: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(command, "SMALL", small)
    name = scenario(UNMET)
    status, result = compared(name)
    assert status == 1
    assert [len(run["unmet"]) for run in result["runs"].values()] == [20, 20]
    first = "v6.8: task 'g', call 1 (UFFDIO_COPY a b 1 page) returned 4096, not -1"
    assert first in in_words(name)


def test_they_are_in_a_sweep_too(scenario: Callable[[str], str]) -> None:
    name = scenario(UNMET)
    status, result = compared(name, sweep="g=1..2")
    assert status == 1
    runs = [run for point in result["points"] for run in point["runs"].values()]
    assert [len(run["unmet"]) for run in runs] == [20, 20, 40, 40]
    assert "g = 2, v6.9: task 'g.1', call 1" in in_words(name, sweep="g=1..2")


def stopped(after: int) -> Callable[[Plan], Progress]:
    """Progress of runs, of which the one of that number is interrupted."""
    begun: list[Plan] = []

    def told(plan: Plan) -> Progress:
        begun.append(plan)
        number = len(begun)
        return lambda _steps, _now: number < after

    return told


def test_a_run_that_was_interrupted_is_no_point_of_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "teller", stopped(after=4))
    status, result = compared("qemu-copy-writers", sweep="writer=0..2")
    assert status == 3
    assert [point["value"] for point in result["points"]] == [0]
    assert result["not_done"] == [1, 2]
    monkeypatch.setattr(sweep, "teller", stopped(after=4))
    assert "not done: 1, 2" in in_words("qemu-copy-writers", sweep="writer=0..2")


def test_a_run_that_was_interrupted_has_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "teller", stopped(after=2))
    status, result = compared("qemu-copy-writers")
    assert (status, result["ratios"]) == (3, {})
    assert result["runs"]["v6.9"]["unfinished"]
    monkeypatch.setattr(sweep, "teller", stopped(after=1))
    said = in_words("qemu-copy-writers")
    assert "v6.8 is unfinished: stopped after 20061 events" in said
    assert "v6.9 is not done" in said


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after some hundred events."""
    tick = Watch.tick

    def ticked(watch: Watch, first: int, second: int) -> bool:
        if first >= 300:
            signal.raise_signal(signal.SIGINT)
        return tick(watch, first, second)

    monkeypatch.setattr(Watch, "tick", ticked)


@pytest.mark.usefixtures("interrupted")
def test_a_run_by_its_events_says_what_is_known_when_it_is_interrupted() -> None:
    status, lines = run_command("compaction", "v6.9", (), NONE, "time", 0, None, json=True)
    run = json.loads("\n".join(lines))
    assert (status, run["unfinished"]) == (3, True)
    assert run["totals"]["wall_ns"] > 0
    _, lines = run_command("compaction", "v6.9", (), NONE, "time", 0, None, json=False)
    assert "unfinished: stopped after 320 events" in lines


@pytest.mark.usefixtures("interrupted")
def test_so_does_a_comparison_with_a_schedule() -> None:
    status, result = compared("compaction", "gc x3")
    assert (status, list(result["runs"]), result["ratios"]) == (3, ["v6.8"], {})
    assert result["runs"]["v6.8"]["events"] == 320


def test_something_long_says_once_a_second_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("uffdviz.run.watch.EACH", 0)
    _ = run_command("compaction", "v6.9", (), NONE, "time", 0, None, json=True)
    said = capsys.readouterr().err.splitlines()
    assert said[1].startswith("v6.9: 64 steps, ")
    assert said[1].endswith(" of virtual time")


def test_so_does_a_long_run_without_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("uffdviz.run.watch.EACH", 0)
    _ = compared("compaction")
    said = capsys.readouterr().err
    assert "\nv6.9: " in said


def test_a_schedule_that_no_era_can_follow_is_a_finding() -> None:
    status, result = compared(
        "copy-meets-mprotect", "gc until holds map_changing_lock gc for write"
    )
    assert all(run["divergence"] for run in result["runs"].values())
    assert status == 1


def test_one_that_some_era_follows_to_its_end_is_none() -> None:
    status, result = compared("copy-meets-mprotect", "gc until holds vma dst for read")
    assert [bool(run["divergence"]) for run in result["runs"].values()] == [True, False]
    assert status == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gc=64..65", "task 'gc', count: expected int <= 64, not 65"),
        ("cpus=1024..1025", "cpus: expected int <= 1024, not 1025"),
        ("cpus=0..1", "cpus: expected int >= 1, not 0"),
        ("gc=0..0", "all are background"),
    ],
)
def test_a_count_is_refused_in_a_sweep_as_it_is_in_a_file(text: str, said: str) -> None:
    with pytest.raises(UffdvizError, match=said):
        compared("compaction", sweep=text)


def rows(run: dict[str, Any]) -> list[tuple[str, str, int, int]]:
    return [
        (row["lock"], row["mode"], row["acquisitions"], row["hold_ns"]["total"])
        for row in run["totals"]["locks"]
    ]


def test_a_run_has_the_same_rows_with_events_and_without(scenario: Callable[[str], str]) -> None:
    name = scenario(MAPS)
    _, result = compared(name)
    for era, run in result["runs"].items():
        assert rows(run) == rows(measure(Plan(name, era)))
        assert not any("~" in row["lock"] for row in run["totals"]["locks"])
    assert ("vma s", "write", 6) in [row[:3] for row in rows(result["runs"]["v6.9"])]


def test_an_interrupt_ends_the_processes_of_a_sweep_and_keeps_what_they_know() -> None:
    long = [Plan("android-compaction", era) for era in ("v6.8", "v6.1", "v6.9", "v6.12")]
    runs = sweep.in_processes([Plan("copy", "v6.9"), *long], 2)
    assert next(runs)[0] == 0
    known = [runs.throw(KeyboardInterrupt()), *runs]
    assert all(run["interrupted"] and run["unfinished"] for _, run in known)
    assert multiprocessing.active_children() == []


def test_who_wants_no_more_of_a_sweep_leaves_no_process_behind() -> None:
    runs = sweep.in_processes([Plan("copy", "v6.9"), Plan("android-compaction", "v6.8")], 2)
    assert next(runs)[0] == 0
    runs.close()
    assert multiprocessing.active_children() == []
