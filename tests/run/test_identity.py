"""Which suspended coroutines count as the same."""

from collections.abc import Coroutine
from typing import Any

from uffdviz.kernel.memory import look
from uffdviz.kernel.steps import Obj, Step
from uffdviz.run.identity import identity

WORD = Obj("word", "word", 0)
OTHER = Obj("word", "other", 0)


def suspended(coro: Coroutine[Any, Any, Any], *answers: Any) -> Any:
    """Run a coroutine to its last answer."""
    coro.send(None)
    for answer in answers:
        coro.send(answer)
    return coro


async def asks(obj: Obj) -> Any:
    return await Step(obj, look)


async def keeps(value: Any) -> Any:
    await Step(WORD, look)
    return value


async def binds_one(answer_first: bool) -> tuple[int, int]:  # noqa: FBT001
    if answer_first:
        first = 5
    else:
        second = 5
    await Step(WORD, look)
    return (first, 0) if answer_first else (0, second)  # type: ignore[possibly-undefined]


async def goes_over(numbers: tuple[int, ...]) -> None:
    for _ in numbers:
        await Step(WORD, look)


async def counts(rounds: int) -> None:
    for _ in range(rounds):
        await Step(WORD, look)
        del _


async def forgets() -> int:
    answer = await Step(WORD, look)
    del answer
    return int(await Step(OTHER, look))


def test_two_runs_of_the_same_function_are_the_same() -> None:
    assert identity(suspended(asks(WORD)), 0) == identity(suspended(asks(WORD)), 0)


def test_another_object_is_another_place() -> None:
    assert identity(suspended(asks(WORD)), 0) != identity(suspended(asks(OTHER)), 0)


def test_the_count_of_fresh_names_is_part_of_it() -> None:
    assert identity(suspended(asks(WORD)), 0) != identity(suspended(asks(WORD)), 1)


def test_values_that_are_kept_tell_places_apart() -> None:
    assert identity(suspended(keeps(1)), 0) != identity(suspended(keeps(2)), 0)


def test_true_is_not_one() -> None:
    assert identity(suspended(keeps(value=True)), 0) != identity(suspended(keeps(1)), 0)


def test_which_local_is_bound_tells_places_apart() -> None:
    first, second = (
        suspended(binds_one(answer_first=True)),
        suspended(binds_one(answer_first=False)),
    )
    assert identity(first, 0) != identity(second, 0)


def test_an_answer_that_is_forgotten_does_not_tell_places_apart() -> None:
    assert identity(suspended(forgets(), 1), 0) == identity(suspended(forgets(), 2), 0)


def test_how_far_a_loop_is_tells_places_apart() -> None:
    once, twice = suspended(goes_over((1, 1, 1)), 0), suspended(goes_over((1, 1, 1)), 0, 0)
    assert identity(once, 0) != identity(twice, 0)


def test_how_far_a_counter_is_tells_places_apart() -> None:
    once, twice = suspended(counts(3), 0), suspended(counts(3), 0, 0)
    assert identity(once, 0) != identity(twice, 0)


def test_a_value_of_an_unknown_kind_gives_no_identity() -> None:
    assert identity(suspended(keeps(["a list may change"])), 0) is None
