"""Goals are judged by the search, hints are computed from where the learner stands."""

from pathlib import Path

import pytest

from tests.course.pages import page
from uffdviz.course.goals import Setup, advice, score, tiers
from uffdviz.course.load import load_lesson
from uffdviz.course.reach import can_reach, easiest
from uffdviz.course.schema import Goal
from uffdviz.errors import ScheduleError
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.setting import load_setting

WAIT = "gc waits for mmap_lock to read"


def goals_of(tmp_path: Path) -> tuple[Setup, list[Goal]]:
    lesson = load_lesson(page(tmp_path))
    return Setup(lesson), [block for block in lesson.blocks if isinstance(block, Goal)]


@pytest.mark.parametrize(
    ("scenario", "era", "reach", "switches"),
    [
        ("copy-meets-mprotect", "v6.8", WAIT, 1),
        ("move-meets-mprotect", "series-v4", "deadlock", 2),
        ("copy-meets-dontneed", "v6.8", "violates S4", 3),
        ("fault-missing", "v6.9", "app sleeps", 0),
    ],
)
def test_the_easiest_way_has_the_fewest_switches_and_leads_there(
    scenario: str, era: str, reach: str, switches: int
) -> None:
    setting = load_setting(scenario, era)
    way = easiest(setting, reach)
    assert way is not None
    assert way.switches == switches
    run = Interleaving(setting)
    run.follow(list(way.choices))
    assert run.choices == list(way.choices)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 9, 10, 11])
def test_the_way_goes_on_from_where_the_learner_stands(steps: int) -> None:
    setting = load_setting("move-meets-mprotect", "series-v4")
    run = Interleaving(setting)
    if steps:
        run.play(f"gc x{steps}")
    way = easiest(setting, "deadlock", run.choices)
    assert way is not None
    run.follow(list(way.choices))
    assert not run.machine.choices()


def test_what_the_merged_form_excludes_cannot_be_reached() -> None:
    assert can_reach(load_setting("move-meets-mprotect", "v6.9"), "deadlock") is False


def test_what_every_way_passes_cannot_be_avoided() -> None:
    setting = load_setting("copy-meets-mprotect", "v6.9")
    assert can_reach(setting, WAIT, without="app enters vma_start_write") is False
    assert can_reach(setting, WAIT, without="ui done") is True


def test_a_property_of_the_whole_graph_is_refused_with_what_to_write() -> None:
    with pytest.raises(ScheduleError, match="for L1 write 'deadlock'"):
        _ = easiest(load_setting("copy-meets-mprotect"), "violates L1")


def test_a_learners_run_is_scored_against_the_par(tmp_path: Path) -> None:
    setup, (goal, *_) = goals_of(tmp_path)
    run = Interleaving(setup.of(goal))
    run.play("ui x1; app until leaves vma_start_write; gc until waits for mmap_lock")
    solved = score(setup, goal, run.choices)
    assert (solved.reached, solved.switches, solved.par) == (True, 2, 1)
    assert not score(setup, goal, ["gc"]).reached


def test_the_last_hint_is_computed_where_the_page_gives_fewer_than_three(tmp_path: Path) -> None:
    setup, (goal, fix, prove) = goals_of(tmp_path)
    assert len(tiers(setup, goal)) == 3
    assert tiers(setup, goal)[-1].text.startswith("from here it takes 1 switch more: app x")
    assert tiers(setup, fix)[-1].text.startswith("not 1: deadlock")
    assert "finds nothing" in tiers(setup, prove)[-1].text


def test_a_learner_who_cannot_get_there_any_more_is_told_to_go_back(tmp_path: Path) -> None:
    setup, (goal, *_) = goals_of(tmp_path)
    run = Interleaving(setup.of(goal))
    run.play("gc until done")
    assert advice(setup, goal, run.choices) == "from here there is no way to it any more: go back"
