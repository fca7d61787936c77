"""The search against a model whose numbers other checkers have found, too."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.run.three_locks import three_locks
from uffdviz.run.explore import Limits, explore
from uffdviz.run.shortest import Ended, Shortest, point_of_no_return
from uffdviz.run.space import Space

SIZES = {"S1": (2, 1, 1), "S2": (2, 1, 4), "S3": (3, 2, 2)}
FIXED = {"S1": 344, "S2": 20_717, "S3": 395_025}
BROKEN = {"S1": (289, 2), "S2": (15_745, 80), "S3": (232_961, 576)}


@pytest.mark.parametrize("size", SIZES)
def test_the_fixed_model_has_as_many_states_as_in_every_other_checker(size: str) -> None:
    seen = explore(three_locks(*SIZES[size], bug=False), Limits())
    assert (seen.states, len(seen.stuck)) == (FIXED[size], 0)


@pytest.mark.parametrize("size", SIZES)
def test_the_broken_model_has_as_many_states_and_deadlocks_as_in_every_other_checker(
    size: str,
) -> None:
    seen = explore(three_locks(*SIZES[size], bug=True), Limits())
    assert (seen.states, len(seen.stuck)) == BROKEN[size]


@pytest.mark.parametrize("bug", [False, True])
def test_a_reduced_search_comes_to_the_same_ends(bug: bool) -> None:  # noqa: FBT001
    full = explore(three_locks(*SIZES["S2"], bug=bug), Limits())
    reduced = explore(three_locks(*SIZES["S2"], bug=bug), Limits(), reduce=True)
    assert (len(full.stuck), len(full.ends)) == (len(reduced.stuck), len(reduced.ends))


@pytest.mark.parametrize("bug", [False, True])
def test_merged_places_and_whole_histories_reach_the_same_worlds(bug: bool) -> None:  # noqa: FBT001
    merged = three_locks(*SIZES["S1"], bug=bug)
    histories = three_locks(*SIZES["S1"], bug=bug, merge=False)
    assert worlds(merged) == worlds(histories)
    assert len(histories.automata["mover0"].nodes) > len(merged.automata["mover0"].nodes)


def worlds(space: Space) -> set[tuple[object, ...]]:
    """Every world that can be reached, with what each task asks for there."""
    found = set()
    for state in explore(space, Limits()).parents:
        asks = tuple(
            getattr(getattr(space.node(name, state).ask, "effect", None), "__name__", "done")
            for name in space.automata
        )
        found.add((*space.world(state).values(), asks))
    return found


def test_a_search_that_meets_its_limit_says_that_it_is_not_finished() -> None:
    seen = explore(three_locks(*SIZES["S2"], bug=False), Limits(max_states=1000))
    assert not seen.finished
    assert seen.states < 2500


def test_a_search_that_is_told_to_stop_says_that_it_is_not_finished() -> None:
    seen = explore(three_locks(*SIZES["S2"], bug=False), Limits(tick=lambda *_: False))
    assert not seen.finished


def test_nothing_is_shorter_than_the_easiest_run_to_the_deadlock() -> None:
    space = three_locks(*SIZES["S1"], bug=True)
    path = Shortest(space, Ended(space.is_stuck), Limits()).path()
    assert path is not None
    tasks = [row.actor.task for row, _ in path]
    switches = sum(a != b for a, b in pairwise(tasks))
    assert (switches, len(tasks)) == fewest(three_locks(*SIZES["S1"], bug=True))


def fewest(space: Space) -> tuple[int, int]:
    """The fewest switches, then steps, to a standstill, by trying runs layer by layer."""
    layer = {(space.start, ""): 0}
    switches = -1
    while True:
        switches += 1
        reached = {**layer}
        todo = list(layer.items())
        for (state, last), steps in todo:
            for key, after in steps_on(space, state, steps, same=last):
                if after < reached.get(key, 1 << 30):
                    reached[key] = after
                    todo.append((key, after))
        stuck = [n for (s, _), n in reached.items() if not space.moves(s) and space.is_stuck(s)]
        if stuck:
            return switches, min(stuck)
        layer = {}
        for (state, last), steps in reached.items():
            for key, after in steps_on(space, state, steps, other=last):
                layer[key] = min(after, layer.get(key, 1 << 30))


def steps_on(
    space: Space, state: int, steps: int, *, same: str = "", other: str = ""
) -> Iterator[tuple[tuple[int, str], int]]:
    """The steps of one task, or of every task but one."""
    for row, after in space.moves(state):
        task = row.actor.task
        if task == same or (not same and task != other):
            yield (after, task), steps + 1


def test_the_deadlock_is_certain_before_anything_stops() -> None:
    space = three_locks(*SIZES["S1"], bug=True)
    goal = Ended(space.is_stuck)
    path = Shortest(space, goal, Limits()).path()
    assert path is not None
    lost = point_of_no_return(space, path, goal, Limits())
    assert lost is not None
    assert lost < len(path) - 1
