"""The same choices under two eras."""

from itertools import pairwise

from uffdviz.run.race import race
from uffdviz.run.setting import load_setting

SETTING = load_setting("copy-meets-mprotect", "v6.8")
CHOICES = ["gc", "app", "gc", "gc", "app"]


def test_the_same_era_twice_never_parts() -> None:
    assert race(SETTING, "v6.8", []).parted == 0


def test_two_eras_part_at_the_first_event_that_differs() -> None:
    found = race(SETTING, "v6.9", [])
    at = found.parted - 1
    left, right = found.left.events, found.right.events
    assert [e.sentence for e in left[:at]] == [e.sentence for e in right[:at]]
    assert left[at].sentence != right[at].sentence


def test_both_sides_run_to_the_end() -> None:
    found = race(SETTING, "v6.9", ["gc", "gc"])
    assert found.left.whole
    assert found.right.whole


def test_a_choice_that_one_era_cannot_follow_is_named() -> None:
    side = race(SETTING, "v6.9", ["gc"] * 500).right
    assert side.left.startswith("choice ")


def test_without_a_schedule_every_moment_is_a_time_of_the_common_clock() -> None:
    found = race(SETTING, "v6.9", [])
    assert (found.steps, found.places(0)) == (0, (0, 0))
    times = [found.time(at) for at in range(1, found.last + 1)]
    assert times == sorted({*found.left.times(0), *found.right.times(0)})
    assert found.places(found.last) == (len(found.left.events), len(found.right.events))


def test_with_a_schedule_each_choice_is_a_moment_on_both_sides() -> None:
    found = race(SETTING, "v6.9", CHOICES)
    assert found.steps == 5
    assert [found.places(step) for step in range(6)] == [(step, step) for step in range(6)]
    shown = [found.places(at) for at in range(found.last + 1)]
    assert all(a <= c and b <= d for (a, b), (c, d) in pairwise(shown))
    assert shown[-1] == (len(found.left.events), len(found.right.events))


def test_the_shared_schedule_of_a_moment_leads_there_again() -> None:
    found = race(SETTING, "v6.9", CHOICES)
    assert found.shared(3) == tuple(CHOICES[:3])
    at = found.steps + 2
    longer = found.shared(at)
    assert longer[:5] == tuple(CHOICES)
    assert len(longer) == max(found.places(at))
    assert race(SETTING, "v6.9", longer).places(len(longer)) == (len(longer), len(longer))


def test_by_the_clock_the_shared_schedule_is_what_both_have_in_common() -> None:
    found = race(SETTING, "v6.12", CHOICES)
    parted = False
    for at in range(found.steps + 1, found.last + 1):
        sides = zip((found.left, found.right), found.places(at), strict=True)
        one, other = ([e.choice for e in side.events[:n]] for side, n in sides)
        shared = list(found.shared(at))
        assert all(tape[: len(shared)] == shared[: len(tape)] for tape in (one, other))
        parted = len(shared) < max(len(one), len(other))
        assert not parted or one[len(shared)] != other[len(shared)]
    assert parted


def test_a_side_that_cannot_follow_goes_on_in_timed_order_beside_the_other() -> None:
    blocked = [*["gc"] * 6, *["app"] * 12]
    found = race(SETTING, "v6.9", blocked)
    sides = (found.left, found.right)
    short, whole = sorted(sides, key=lambda side: side.followed)
    assert short.followed < whole.followed == found.steps
    assert short.left.startswith(f"choice {short.followed + 1}: ")
    assert "waits for" in short.left
    n = found.places(found.steps)[sides.index(short)]
    assert n == short.at(whole.time(whole.places[-1])) > short.places[-1]
    assert found.shared(found.steps) == tuple(blocked[: found.steps])
    assert found.parted <= short.followed + 1


def test_the_moment_of_parting_shows_the_first_difference_on_both_sides() -> None:
    found = race(SETTING, "v6.9", CHOICES)
    at = found.parting()
    assert min(found.places(at)) >= found.parted
    assert min(found.places(at - 1)) < found.parted


def test_a_signal_that_the_scenario_sends_comes_once_on_each_side() -> None:
    setting = load_setting("event-killed")
    whole = [event.choice for event in race(setting, "v6.9", []).left.events]
    kill = next(choice for choice in whole if choice.startswith("kill "))
    tasks = [choice for choice in whole if choice != kill]
    for choices in (whole, tasks):
        again = race(setting, "v6.9", choices).left
        assert [event.choice for event in again.events] == whole
        assert again.left == ""


def test_totals_can_be_asked_in_any_order() -> None:
    side = race(SETTING, "v6.9", []).left
    first = side.totals(10)
    last = side.totals(len(side.events))
    assert side.totals(10) == first != last
