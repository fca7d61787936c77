"""The same choices under two eras."""

from uffdviz.run.race import START, race
from uffdviz.run.setting import load_setting

SETTING = load_setting("copy-meets-mprotect", "v6.8")


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
    assert side.left.startswith("step ")


def test_on_and_back_visit_the_same_moments() -> None:
    found = race(SETTING, "v6.9", [])
    times = [START]
    while (time := found.next(times[-1])) != times[-1]:
        times.append(time)
    assert times[-1] == max(found.left.end, found.right.end)
    back = [times[-1]]
    while back[-1] > START:
        back.append(found.before(back[-1]))
    assert back[::-1] == times


def test_totals_can_be_asked_in_any_order() -> None:
    side = race(SETTING, "v6.9", []).left
    first = side.totals(10)
    last = side.totals(len(side.events))
    assert side.totals(10) == first != last
