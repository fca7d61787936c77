"""Two eras of a workload on one clock, a window of it again, and a sweep: the values that the screen draws."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from uffdviz import cli
from uffdviz.course.shelf import CourseShelf
from uffdviz.course.tools import is_long
from uffdviz.errors import UsageError
from uffdviz.run import workload as module
from uffdviz.run.measure import Plan, measure
from uffdviz.run.setting import load_setting
from uffdviz.run.workload import Workload, workload_of
from uffdviz.trace.profile import Pair


def on(_: int, __: int) -> bool:
    return True


def workload(name: str = "compaction", **counts: int) -> Workload:
    return Workload(*(Plan(name, era, counts=counts) for era in ("v6.8", "v6.9")))


def test_both_sides_end_as_the_same_runs_by_themselves_do() -> None:
    pair = workload().race(on)
    for side in pair:
        run = measure(Plan("compaction", side.era))
        assert (side.end, side.steps) == (run["totals"]["wall_ns"], run["events"])
        assert side.over
        assert sum(side.by_lock(side.end, "uninterruptible").values()) == sum(
            run["totals"]["all"]["uninterruptible_ns"].values()
        )


def test_a_window_is_the_same_stretch_in_finer_slices() -> None:
    race = workload()
    whole = race.race(on)
    near = race.window(102_400, 204_800, on)
    assert near is not None
    for side, all_ in zip(near, whole, strict=True):
        assert side.width < all_.width
        assert side.spent(102_400, 204_800) == all_.spent(102_400, 204_800)
        assert set(side.waits) <= set(all_.waits)
        assert all(wait.start < 204_800 and wait.end > 102_400 for wait in side.waits)


def test_a_race_that_is_stopped_keeps_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRIDE", 500)
    race = workload()
    ticks: list[int] = []

    def few(steps: int, now: int) -> bool:
        ticks.append(now)
        return len(ticks) < 8

    some = race.race(few)
    assert race.so_far == some
    assert len(ticks) == 8
    assert not any(side.over for side in some)
    assert all(0 < side.end <= max(ticks) for side in some)
    whole = workload().race(on)
    for side, all_ in zip(some, whole, strict=True):
        known = side.end // 2 - side.end // 2 % all_.width
        assert side.spent(0, known) == all_.spent(0, known)


def test_a_window_that_is_stopped_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRIDE", 500)
    assert workload().window(900_000, 1_000_000, lambda *_: False) is None


def test_meanwhile_the_one_that_is_behind_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRIDE", 50)
    monkeypatch.setattr(module, "OFTEN", 1)
    race = workload(cpus=6)  # who waits for a processor holds back what is known
    seen: list[Pair] = []

    def look(steps: int, now: int) -> bool:
        if race.so_far is not None and race.so_far not in seen:
            seen.append(race.so_far)
        return True

    _ = race.race(look)
    both = [pair for pair in seen if not any(side.over for side in pair)]
    assert len(both) > 10
    assert all(abs(a.end - b.end) < 200_000 for a, b in both)
    ends = [pair.left.end for pair in seen]
    assert ends == sorted(ends)


def test_a_sweep_on_the_screen_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    series = workload().sweep("writer=0..2")
    series.run(on)
    words = ["compare", "compaction", "--eras", "v6.8,v6.9", "--sweep", "writer=0..2", "--json"]
    assert cli.main(words) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(series.so_far))
    assert (series.done, series.runs) == (6, 6)


def test_a_sweep_that_is_stopped_keeps_whole_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uffdviz.run.measure.CHUNK", 1000)
    series = workload().sweep("writer=1..3")
    series.run(lambda *_: series.done < 2)
    assert series.done == 2  # the third one has not ended
    assert [point["value"] for point in series.so_far["points"]] == [1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("writer", "write NAME=A..B"),
        ("writer=3..1", "3 is more than 1"),
        ("wrter=1..3", "writer"),
        ("cpus=0..2", "expected int >= 1, not 0"),
    ],
)
def test_what_cannot_be_varied_is_said(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        _ = workload().sweep(text)


def test_the_older_kernel_is_on_the_left() -> None:
    assert CourseShelf().workload("compaction").eras == ("v6.8", "v6.9")
    assert CourseShelf().workload("qemu-copy-writers").eras == ("v6.8", "v6.12")
    assert CourseShelf().workload("compaction", ("v6.12", "v6.1")).eras == ("v6.1", "v6.12")
    setting = load_setting("compaction", "v6.9")
    assert workload_of(setting, "v6.1", ["v6.1", "v6.8", "v6.9"]).eras == ("v6.1", "v6.9")


def test_a_workload_of_a_setting_needs_no_file() -> None:
    setting = load_setting("compaction", "v6.9")
    setting.name = "not a file"
    pair = workload_of(setting, "v6.8", ["v6.8", "v6.9"]).race(on)
    assert [side.end for side in pair] == [side.end for side in workload().race(on)]


def test_only_what_is_too_long_for_events_is_a_workload() -> None:
    assert is_long(load_setting("qemu-copy-writers"))
    assert not is_long(load_setting("compaction"))
    assert not is_long(load_setting("copy"))


def test_what_is_steered_by_failures_does_not_race() -> None:
    with pytest.raises(UsageError, match="does not go by time alone"):
        _ = workload("copy-after-fork-failed")


SAID = """
from uffdviz.run.measure import Plan
from uffdviz.run.workload import Workload
pair = Workload(Plan("compaction", "v6.8"), Plan("compaction", "v6.18")).race(lambda *_: True)
print(pair)
"""


def test_another_order_of_hashes_changes_nothing() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", SAID],
            check=True,
            capture_output=True,
            cwd=Path.cwd(),
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "77")
    ]
    assert said[0] == said[1]
    assert b"mmap_lock" in said[0]
