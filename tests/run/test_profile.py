"""Where the time of a run went adds up to its totals, as a whole, lock by lock and in any window."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.run.small import small_android
from uffdviz.run import profile as module
from uffdviz.run.lean import Lean
from uffdviz.run.measure import Plan, set_up
from uffdviz.run.profile import Recorder, Slices, Watched
from uffdviz.run.setting import Setting, load_setting
from uffdviz.trace.profile import KINDS, Kind, Profile

KEYS = {
    "running": "running_ns",
    "runnable": "runnable_ns",
    "uninterruptible": "uninterruptible_ns",
    "killable": "killable_ns",
    "asleep": "userfaultfd_ns",
    "idle": "idle_ns",
}
NAMES = [
    "compaction",
    "fault-missing",
    "fault-read-and-resolved",
    "event-unmap",
    "fork",
    "two-moves",
]
RUNS = pytest.mark.parametrize(("name", "era"), [(n, e) for n in NAMES for e in ("v6.8", "v6.18")])


def setting_of(name: str, era: str, cpus: int = 4) -> Setting:
    setting = load_setting(name, era)
    return Setting(msgspec.structs.replace(setting.scenario, cpus=cpus), era)


def recorded(setting: Setting, window: tuple[int, int] | None = None, steps: int = 0) -> Recorder:
    run = Recorder(setting, window)
    _ = run.run(steps) if steps else run.run()
    return run


def sums(run: Lean, names: list[str]) -> dict[str, dict[str, int]]:
    """The totals of some tasks, by way and by lock."""
    tasks: Mapping[str, Any] = run.totals()["tasks"]
    found: dict[str, dict[str, int]] = {}
    for kind, key in KINDS_AND_KEYS:
        found[kind] = {}
        for name in names:
            value = tasks[name][key]
            for lock, ns in value.items() if isinstance(value, dict) else [("", value)]:
                found[kind][lock] = found[kind].get(lock, 0) + ns
        found[kind] = {lock: ns for lock, ns in found[kind].items() if ns}
    return found


KINDS_AND_KEYS = [(kind, KEYS[kind]) for kind in KINDS]


def assert_adds_up(profile: Profile, run: Lean, setting: Setting) -> None:
    for one in profile.groups:
        names = [name for name, table in setting.tables.items() if table.name == one.name]
        said = sums(run, names)
        assert one.tasks == len(names)
        for kind in KINDS:
            found = profile.by_lock(profile.end, kind, [one.name])
            assert {lock: ns for lock, ns in found.items() if ns} == said[kind], (one.name, kind)


@RUNS
def test_every_group_and_every_lock_adds_up_to_the_totals(name: str, era: str) -> None:
    setting = setting_of(name, era)
    run = recorded(setting)
    assert_adds_up(run.profile(last=True), run, setting)


def test_a_shrunken_compaction_adds_up_though_its_slices_have_been_widened() -> None:
    setting = small_android("v6.8")
    run = recorded(setting)
    profile = run.profile(last=True)
    assert profile.width > module.FINEST
    assert all(len(row.sums) <= module.SLICES + 1 for row in profile.rows)
    assert_adds_up(profile, run, setting)


def test_a_run_that_is_noted_has_the_totals_of_one_that_is_not() -> None:
    plain = Lean(setting_of("compaction", "v6.8"))
    plain.run()
    assert recorded(setting_of("compaction", "v6.8")).totals() == plain.totals()


@given(st.sampled_from(["v6.8", "v6.9"]), st.integers(0, 2500), st.integers(1, 1200))
@settings(max_examples=15, deadline=None)
def test_in_a_window_each_task_spends_the_whole_window(era: str, at: int, slices: int) -> None:
    """So nothing is counted twice or left out, whatever the borders cut through."""
    setting = setting_of("compaction", era)
    width = 512
    start, length = at * width, slices * width
    run = recorded(setting, (start, start + length))
    profile = run.profile(last=True)
    lives = [max(0, min(task.end, start + length) - start) for task in run.tasks.values()]
    assert sum(profile.spent(start, start + length).values()) == sum(lives)
    whole = recorded(setting).profile(last=True)
    assert width % whole.width == 0
    assert profile.spent(start, start + length) == whole.spent(start, start + length)


def test_the_slices_of_a_window_are_those_of_the_whole() -> None:
    setting = setting_of("compaction", "v6.8")
    whole = recorded(setting).profile(last=True)
    width = whole.width
    start = 40 * width
    end = start + module.SLICES * width // 4
    part = recorded(setting, (start, end)).profile(last=True)
    assert part.width == width // 4
    for at in range(start, end, width):
        assert part.spent(at, at + width) == whole.spent(at, at + width)


def test_what_is_known_in_the_middle_is_what_is_known_at_the_end() -> None:
    setting = setting_of("compaction", "v6.8")
    some = recorded(setting, (0, 1_000_000), 4000).profile()
    whole = recorded(setting, (0, 1_000_000)).profile(last=True)
    known = some.end - some.end % some.width
    assert 0 < known < whole.end
    assert not some.over
    assert some.spent(0, known) == whole.spent(0, known)


def test_who_has_finished_holds_nobody_back() -> None:
    """What is known goes on although a task that is over takes no further step."""
    run = Recorder(setting_of("readers-around-a-writer", "v6.8"))
    beyond = False
    while not run.run(1):
        over = [task.end for task in run.tasks.values() if task.over]
        beyond = beyond or (bool(over) and run.known() > min(over))
    assert beyond


def test_looking_in_the_middle_changes_nothing() -> None:
    setting = setting_of("compaction", "v6.8")
    run = Recorder(setting)
    while not run.run(500):
        _ = run.profile()
    assert run.profile(last=True) == recorded(setting).profile(last=True)


def test_the_same_run_twice_is_the_same() -> None:
    first, second = (recorded(small_android("v6.8")).profile(last=True) for _ in range(2))
    assert first == second


def test_a_wait_says_who_waits_for_what_behind_whom() -> None:
    waits = recorded(setting_of("compaction", "v6.8")).profile(last=True).waits
    first = next(wait for wait in waits if wait.task.startswith("writer"))
    assert (first.lock, first.mode, first.kind) == ("mmap_lock", "write", "killable")
    assert first.behind == ("gc",)
    assert first.start < first.end < first.ran
    reader = next(wait for wait in waits if wait.task == "gc" and wait.queued)
    assert (reader.mode, reader.kind, reader.queued) == ("read", "uninterruptible", 3)
    assert reader.behind == ("writer.3",)


def test_the_waits_of_a_short_run_are_all_its_waits() -> None:
    run = recorded(setting_of("compaction", "v6.8"))
    profile = run.profile(last=True)
    assert len(profile.waits) == profile.waited
    kinds: tuple[Kind, ...] = ("uninterruptible", "killable")
    for kind in kinds:
        mine = sum(w.end - w.start for w in profile.waits if w.kind == kind)
        assert mine == profile.spent(0, profile.end)[kind]


def test_only_the_longest_waits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    every = recorded(setting_of("compaction", "v6.8")).profile(last=True)
    monkeypatch.setattr(module, "LONGEST", 2)
    few = recorded(setting_of("compaction", "v6.8")).profile(last=True)
    assert few.waited == every.waited
    for name in ("writer", "gc"):
        mine = sorted(w.end - w.start for w in every.waits if w.task.partition(".")[0] == name)
        kept = sorted(w.end - w.start for w in few.waits if w.task.partition(".")[0] == name)
        assert kept == mine[-2:]


def test_who_changes_mappings_is_told_apart() -> None:
    profile = recorded(small_android("v6.9")).profile(last=True)
    assert profile.called(changes=False) == ["gc", "app"]
    assert profile.called(changes=True) == ["worker", "profile"]
    assert profile.tasks(["gc", "app"]) == 30


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 3000)), min_size=1, max_size=30))
def test_slices_keep_every_nanosecond_however_often_they_widen(
    stretches: list[tuple[int, int]],
) -> None:
    slices = Slices(most=8)
    for start, length in stretches:
        slices.spend("gc", "running", "", start, start + length)
    (row,) = slices.sums(max(start + length for start, length in stretches))
    assert row.sums[-1] == sum(length for _, length in stretches)
    for at, before in enumerate(row.sums):
        border = at * slices.width
        mine = sum(max(0, min(s + n, border) - s) for s, n in stretches)
        assert before == mine


def test_a_run_that_nobody_looks_at_has_tasks_that_note_nothing() -> None:
    run = Lean(set_up(Plan("compaction", "v6.8")))
    assert not any(isinstance(task, Watched) for task in run.tasks.values())
