"""What a search over shipped scenarios has to find, with and without its reductions."""

import pytest

from uffdviz.check.properties import IDENTS, pick, rules
from uffdviz.run.explore import Limits, explore
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.search import space_of
from uffdviz.run.setting import load_setting
from uffdviz.run.verdict import Finding, Verdict, goals, judge

SMALL = (
    "close-meets-fork",
    "copy-by-the-reader-meets-fork",
    "copy-meets-munmap",
    "copy-source-meets-mprotect",
    "move-meets-mprotect",
    "move-same-mapping-meets-mprotect",
    "two-copies",
)


def checked(scenario: str, era: str, *properties: str, mistake: str = "") -> Verdict:
    setting = load_setting(scenario, era, (mistake,) if mistake else ())
    idents = pick(properties)
    return judge(space_of(setting, rules(idents)), setting.machine, Limits())


def finding(verdict: Verdict, ident: str) -> Finding:
    return next(found for found in verdict.findings if found.property == ident)


def test_revision_4_can_deadlock_and_the_circle_names_locks_holders_and_queue() -> None:
    found = finding(checked("move-meets-mprotect", "series-v4"), "L1")
    assert found.cycle is not None
    waits = {entry["task"]: entry["waits_for"]["lock"] for entry in found.cycle}
    assert waits == {"gc": "mmap_lock", "app": "vma src"}
    assert all(entry["behind"] for entry in found.cycle)


def test_the_deadlock_of_revision_4_is_certain_before_its_last_step() -> None:
    found = finding(checked("move-meets-mprotect", "series-v4"), "L1")
    assert found.point_of_no_return is not None
    assert found.point_of_no_return < found.steps


def test_the_schedule_of_a_finding_leads_to_it() -> None:
    found = finding(checked("move-meets-mprotect", "series-v4"), "L1")
    run = Interleaving(load_setting("move-meets-mprotect", "series-v4"))
    run.play("\n".join(found.schedule))
    assert not run.machine.choices()
    assert run.machine.unfinished == ["gc", "app"]


def test_the_merged_series_holds() -> None:
    verdict = checked("move-meets-mprotect", "v6.9")
    assert verdict.finished
    assert not verdict.findings


@pytest.mark.parametrize("era", ["v6.8", "v6.9", "v6.18"])
@pytest.mark.parametrize("scenario", SMALL)
def test_a_reduced_search_sees_the_same_ends_and_findings(scenario: str, era: str) -> None:
    seen = []
    for reduce in (False, True):
        space = space_of(load_setting(scenario, era), rules(IDENTS))
        graph = explore(space, Limits(), reduce=reduce)
        seen.append(({ident for ident, _ in goals(space, graph)}, len(graph.ends)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("mistake", ["M10", "M16", "M36", "M45"])
def test_a_reduced_search_sees_the_same_mistakes(mistake: str) -> None:
    scenario = {"M10": "copy-meets-munmap", "M16": "copy-meets-munmap"}.get(mistake, "")
    scenario = scenario or {"M36": "copy-source-meets-mprotect", "M45": "two-copies"}[mistake]
    seen = []
    for reduce in (False, True):
        space = space_of(load_setting(scenario, "v6.9", (mistake,)), rules(IDENTS))
        graph = explore(space, Limits(), reduce=reduce)
        seen.append({ident for ident, _ in goals(space, graph)})
    assert seen[0] == seen[1]
    assert seen[0]


@pytest.mark.parametrize("scenario", ["move-meets-mprotect", "copy-meets-munmap", "fork"])
def test_merged_places_and_whole_histories_come_to_the_same_ends(scenario: str) -> None:
    ends = []
    for merge in (True, False):
        space = space_of(load_setting(scenario, "v6.9"), (), merge=merge)
        graph = explore(space, Limits())
        ends.append({tuple(sorted(map(str, space.world(s).items()))) for s in graph.ends})
    assert ends[0] == ends[1]


def test_a_fault_that_looks_before_it_queues_may_sleep_for_ever() -> None:
    assert finding(checked("fault-meets-copy", "v6.9", "L2", mistake="M39"), "L2").cycle


def test_two_moves_of_a_large_page_may_keep_each_other_going_round() -> None:
    found = finding(checked("two-moves-of-a-large-page", "v6.9", "L5"), "L5")
    assert "livelock" in found.text


def test_pinning_a_page_of_a_closed_userfaultfd_must_go_round_until_it_was_mended() -> None:
    assert finding(checked("pin-meets-close", "v6.9"), "L1").point_of_no_return is not None
    assert not checked("pin-meets-close", "v6.18").findings
