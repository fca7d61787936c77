"""Who gets a processor when, and who spins how long: the rules by themselves."""

from uffdviz.run.processors import NEVER, Processors
from uffdviz.run.waking import lateness, spin_limit

COSTS = {"context_switch": 0, "time_slice": 3000}


def one_hog(ran: int = 10_000) -> Processors:
    """One processor, and a task that has had it for so long."""
    processors = Processors(1, COSTS)
    processors.claim("hog", 0, {}, {})
    processors.leave("hog", ran)
    processors.claim("hog", ran, {}, {})
    return processors


def test_who_slept_gets_the_processor_of_a_hog_at_the_end_of_its_time_slice() -> None:
    processors = one_hog()
    assert processors.opening("sleeper", 10_500, processors.openings({"hog": 11_000}, {})) == 13_000
    assert processors.opening("sleeper", 14_000, processors.openings({"hog": 13_900}, {})) == 14_000
    processors.claim("sleeper", 14_000, {"hog": 13_900}, {})
    assert list(processors.on) == ["sleeper"]


def test_who_slept_for_ever_is_owed_two_time_slices() -> None:
    processors = one_hog()
    assert processors.floor == 10_000
    assert processors.virtual("sleeper") == 4_000


def test_who_was_preempted_keeps_what_it_is_owed_and_comes_next() -> None:
    processors = one_hog()
    processors.claim("sleeper", 14_000, {"hog": 13_900}, {})
    assert processors.virtual("hog") == 14_000
    at = processors.opening("hog", 14_000, processors.openings({"sleeper": 15_000}, {}))
    assert at == 24_000  # when both have had as much
    assert (
        processors.opening("third", 14_000, processors.openings({"sleeper": 15_000}, {})) == 17_000
    )


def test_nobody_that_runs_waits_for_ever_and_nobody_that_waits_does() -> None:
    processors = Processors(2, COSTS)
    names = ["a", "b", "c", "d", "e"]
    now = dict.fromkeys(names, 0)
    for name in names[:2]:
        processors.claim(name, 0, now, {})
    for _ in range(500):
        waiting = [n for n in names if n not in processors.on]
        at, _, name = min(
            (processors.opening(n, now[n], processors.openings(now, {})), processors.virtual(n), n)
            for n in waiting
        )
        for other in processors.on:
            now[other] = at
        now[name] = processors.claim(name, at, now, {})
    had = [processors.virtual(n) for n in names if n not in processors.on]
    had += [processors.virtual(n) + now[n] - processors.since[n] for n in processors.on]
    assert max(had) - min(had) <= 2 * 3000
    assert min(had) > 0


def test_nobody_that_holds_a_spinlock_is_preempted() -> None:
    processors = one_hog()
    assert (
        processors.opening("sleeper", 20_000, processors.openings({"hog": 19_000}, {"hog": 1}))
        == NEVER
    )


def test_wake_ups_differ_around_the_mean_and_are_the_same_in_every_run() -> None:
    found = [lateness(10_000, "gc.1", n) for n in range(1000)]
    assert min(found) >= 5000
    assert max(found) < 15_000
    assert 9_500 < sum(found) / 1000 < 10_500
    assert [lateness(10_000, "app.2", n) for n in (1, 2, 3)] == [5722, 9843, 8496]


def test_more_readers_are_waited_for_longer_up_to_thirty() -> None:
    assert [spin_limit(10_000, n) for n in (1, 20, 30, 200)] == [10_500, 20_000, 25_000, 25_000]
