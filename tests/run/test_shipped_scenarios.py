"""The scenarios that come with the program can be run in every era."""

import pytest

from uffdviz.kernel.eras.registry import eras
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import load_scenario, shipped
from uffdviz.run.report import as_result
from uffdviz.run.setting import load_setting
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.standstill import standstill

NAMES = sorted(shipped())
WORKLOADS = {"android-compaction", "qemu-copy-writers", "qemu-copy-writers-2"}
LARGE = {"compaction", *WORKLOADS}
LATE = {"pin-meets-close"}
MOST = 5_000
KNOWN = {("close-meets-fault", "v6.1")}
"""Whoever meets a closed userfaultfd tries again at once, and close waits for the lock it takes."""


def test_there_are_enough_of_them_with_three_tasks() -> None:
    large = [n for n in NAMES if len(load_scenario(n).task) >= 3]
    assert len(NAMES) >= 25
    assert len(large) >= 10


@pytest.mark.parametrize("name", sorted({*NAMES} - LATE - WORKLOADS))
def test_its_own_era_runs_to_the_end_and_returns_what_it_says(name: str) -> None:
    setting = load_setting(name)
    run = Interleaving(setting)
    run.drive(Timed(), 20_000)
    returns = {task: [as_result(r) for r in results] for task, results in run.returns.items()}
    assert standstill(run.now, setting.background) is None
    assert setting.unmet(returns) == []
    assert run.machine.choices() == []


@pytest.mark.parametrize("era", [era for era in eras() if era.startswith("v")])
def test_every_kernel_comes_to_an_end_in_timed_order(era: str) -> None:
    for name in NAMES:
        if name in LARGE | LATE or (name, era) in KNOWN:
            continue
        setting = load_setting(name, era)
        run = Interleaving(setting)
        run.drive(Timed(), MOST)
        assert standstill(run.now, setting.background) is None, name
        assert run.machine.choices() == [], name


@pytest.mark.parametrize("name", sorted(set(NAMES) - LARGE))
def test_it_is_small_enough_for_every_interleaving(name: str) -> None:
    scenario = load_scenario(name)
    assert sum(task.count or 1 for task in scenario.task) <= 4
    assert all(vma.pages <= 4 for vma in scenario.vma)
    assert len(scenario.title.split()) >= 5


def test_compaction_takes_longer_where_every_copy_needs_mmap_lock() -> None:
    ends = {}
    for era in ("v6.8", "v6.9"):
        run = Interleaving(load_setting("compaction", era))
        run.finish()
        ends[era] = run.totals["tasks"]["gc"]
    assert ends["v6.8"]["wall_ns"] > 1.5 * ends["v6.9"]["wall_ns"]
    assert "mmap_lock" in ends["v6.8"]["uninterruptible_ns"]
    assert "mmap_lock" not in ends["v6.9"]["uninterruptible_ns"]
