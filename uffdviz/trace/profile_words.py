"""What a race of two eras has to say, as sentences: for the screen and for those who do without."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from uffdviz.trace.profile import Kind, Pair, Profile, Wait

BLOCKED: Final[tuple[Kind, ...]] = ("uninterruptible", "killable")
UNITS: Final = (("s", 10**9), ("ms", 10**6), ("µs", 10**3), ("ns", 1))


def span(ns: int) -> str:
    """A span of virtual time with a unit that keeps it short."""
    for unit, size in UNITS:
        if ns >= size > 1:
            return f"{ns / size:.4g} {unit}"
    return f"{ns} ns"


def moment(ns: int, step: int) -> str:
    """A moment, so exactly that one that is `step` later reads differently."""
    unit, size = next((one for one in UNITS if ns >= one[1]), UNITS[-1])
    digits = 0
    while size // 10**digits > max(step, 1):
        digits += 1
    return f"{ns / size:.{digits}f} {unit}"


def finish_words(pair: Pair, time: int) -> str:
    """Who has finished by a time, and who came first."""
    sides = sorted(pair, key=lambda side: (side.end, side.era))
    done = [side for side in sides if side.over and time >= side.end]
    if len(done) == 2:
        first, last = done
        if first.end == last.end:
            return f"Both finished at {span(first.end)}."
        times = f"{last.end / first.end:.2f} times as long" if first.end else "longer"
        return f"{first.era} finished first, at {span(first.end)}; {last.era} took {span(last.end)}, {times}."
    said = [f"{side.era} has finished, at {span(side.end)}" for side in done]
    said += [_goes_on(side, time) for side in pair if side not in done]
    return f"{'; '.join(said)}."


def _goes_on(side: Profile, time: int) -> str:
    if side.stuck and time >= side.end:
        return f"{side.era} is in a deadlock from {span(side.end)} on"
    if time < side.end or not side.end:
        return f"{side.era} goes on"
    return f"{side.era} is known until {span(side.end)}"


def race_sentences(pair: Pair) -> Iterator[str]:
    """Say who came first, where the time of each went, and which wait was the longest."""
    yield finish_words(pair, pair.end)
    yield from (f"{side.era}: nobody can move: {side.stuck}." for side in pair if side.stuck)
    for side in pair:
        spent = side.spent(0, side.end)
        said = [
            f"runs {span(spent['running'])}",
            f"ready without a processor {span(spent['runnable'])}",
            *_blocked(side),
            f"killable sleep {span(spent['killable'])}",
            f"asleep in userfaultfd {span(spent['asleep'])}",
        ]
        yield f"{side.era}, all tasks together: {', '.join(said)}."
        for kind in BLOCKED:
            locks = [f"{lock} {span(ns)}" for lock, ns in _locks(side, kind) if ns]
            if locks:
                yield f"  {kind} by lock: {', '.join(locks)}."
        if side.waits:
            longest = max(side.waits, key=lambda wait: wait.end - wait.start)
            words = ". ".join(wait_sentences(side.era, longest))
            yield f"  The longest wait of {side.waited}: {words}."


def sweep_sentences(swept: Mapping[str, Any]) -> Iterator[str]:
    """Say a sweep by the keys of `compare --sweep --json`, a sentence a value."""
    name, eras = swept["sweep"]["name"], swept["eras"]
    for point in swept["points"]:
        walls = [point["runs"][era]["totals"]["wall_ns"] for era in eras]
        times = [
            f"{era} {'stood still after' if stood(point['runs'][era]) else 'took'} {span(wall)}"
            for era, wall in zip(eras, walls, strict=True)
        ]
        known = point["ratios"][eras[1]]["wall_ns"] is not None
        ratio = f", {walls[0] / walls[1]:.2f} times as long" if walls[1] and known else ""
        yield f"{name} {point['value']}: {times[1]}, {times[0]}{ratio}."


def stood(run: Mapping[str, Any]) -> bool:
    """Whether nobody could move at the end of a run."""
    return run["deadlock"] is not None or bool(run.get("standstill"))


def _blocked(side: Profile) -> Iterator[str]:
    for changes in (False, True):
        names = side.called(changes=changes)
        if names:
            ns = side.spent(0, side.end, names)["uninterruptible"]
            yield f"D-state by a lock of {' and '.join(names)} {span(ns)}"


def _locks(side: Profile, kind: Kind) -> list[tuple[str, int]]:
    return list(side.by_lock(side.end, kind).items())


def wait_sentences(era: str, wait: Wait) -> Iterator[str]:
    """Say who waits for what, from when to when, behind whom."""
    to = f" to {wait.mode}" if wait.mode else ""
    yield f"{era}: {wait.task} waits for {wait.lock}{to}, {span(wait.end - wait.start)}"
    step = max(1, (wait.end - wait.start) // 100)
    times = f"from {moment(wait.start, step)} to {moment(wait.end, step)}"
    yield f"It sleeps {wait.kind} (D, as ps shows it) {times}"
    yield _before(wait)
    late = wait.ran - wait.end
    if late:
        yield f"Then it could run, and had its processor {span(late)} later"


def _before(wait: Wait) -> str:
    queue = {0: "nobody was", 1: "one was"}.get(wait.queued, f"{wait.queued} were")
    if not wait.behind:
        return f"Nobody held it at that moment; {queue} queued before it"
    few = ", ".join(wait.behind[:4])
    more = f" and {len(wait.behind) - 4} more" if len(wait.behind) > 4 else ""
    return f"When it began {few}{more} had the lock, and {queue} queued before it"
