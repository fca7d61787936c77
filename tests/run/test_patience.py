"""A lock's first waiter loses patience at any moment: one more move of the environment."""

import msgspec
import pytest

from uffdviz.check.properties import IDENTS, rules
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.locks.rwsem import RwSem, enter_read, wait_read
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.run.explore import Limits, explore
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.oracle import Oracle
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.verdict import judge

SCENARIO = "readers-around-a-writer"
PROMISED = """
ui until holds mmap_lock
app until waits for mmap_lock
deadline mmap_lock
ui until leaves mmap_read_unlock
"""


def enter_hastily(s: RwSem, task: str) -> Outcome:
    """Take a free lock for reading, whoever it is promised to."""
    if s.handoff and not s.holders:
        s = msgspec.structs.replace(s, handoff=False)
    return enter_read(s, task)


async def down_read(k: Kernel, sem: Obj) -> None:
    if not await Step(sem, enter_hastily, cost="rwsem_lock"):
        await Step(sem, wait_read, cost="rwsem_lock", waits=True)


def hasty() -> Setting:
    setting = load_setting(SCENARIO, "v6.8")
    setting.era = type("Hasty", (setting.era,), {"down_read": down_read})
    return setting


@pytest.mark.parametrize("reduce", [False, True])
def test_a_reader_who_minds_no_promise_is_found(reduce: bool) -> None:  # noqa: FBT001
    setting = hasty()
    verdict = judge(space_of(setting, rules(IDENTS)), setting.machine, Limits(), reduce=reduce)
    (finding,) = verdict.findings
    assert finding.property == "L3"
    assert "deadline mmap_lock" in finding.schedule


def test_a_search_sees_the_lock_with_and_without_its_promise() -> None:
    space = space_of(load_setting(SCENARIO, "v6.8"), ())
    seen = explore(space, Limits())
    locks = {space.world(state)["mmap_lock"] for state in seen.parents}
    queued = [lock for lock in locks if lock.queue]
    assert {lock.handoff for lock in queued} == {False, True}
    assert not any(lock.handoff for lock in locks if not lock.queue)


@pytest.mark.parametrize("scenario", [SCENARIO, "move-meets-mprotect"])
@pytest.mark.parametrize("era", ["v6.8", "series-v4"])
def test_a_standstill_is_one_whether_patience_has_ended_or_not(scenario: str, era: str) -> None:
    setting = load_setting(scenario, era)
    verdict = judge(space_of(setting, rules(("L1",))), setting.machine, Limits())
    deadlock = scenario == "move-meets-mprotect" and era == "series-v4"
    assert [finding.property for finding in verdict.findings] == ["L1"] * deadlock
    assert not any("deadline" in line for f in verdict.findings for line in f.schedule)


def test_the_oracle_follows_a_run_in_which_patience_has_ended() -> None:
    setting = load_setting(SCENARIO, "v6.8")
    run = Interleaving(setting)
    run.play(PROMISED)
    oracle = Oracle(setting)
    assert oracle.now(run.machine.events, len(run.machine.events)).word == "safe"
