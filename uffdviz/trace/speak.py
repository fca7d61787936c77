"""A run in sentences, for whoever hears it instead of seeing it.

The sentences after an event are complete: who came to hold a lock, who left a queue or moved up in
it, who waits now or may go on, and what each field, entry and word has become. One who keeps track
knows as much as the snapshot does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import PAGE, Snapshot

Held = Counter[tuple[str, str]]
ORDINALS: Final = {1: "1st", 2: "2nd", 3: "3rd"}
LARGE: Final = 1 << 20
NOTHING: Final = frozenset({None, "none", "no"})


def joined(names: Sequence[str]) -> str:
    """Put names into one phrase."""
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def counting(number: int, word: str) -> str:
    """Say how many: `1 switch`, `2 switches`, `3 steps`."""
    many = f"{word}es" if word.endswith("ch") else f"{word}s"
    return f"{number} {word if number == 1 else many}"


def ordinal(place: int) -> str:
    """A place in a queue."""
    return ORDINALS.get(place, f"{place}th")


def told(before: Snapshot, event: Event, after: Snapshot) -> list[str]:
    """Say all that one event changed; the first sentence is the event itself."""
    lead = lead_of(event)
    stands = [stand for stand in changed_stands(before, event, after) if stand != lead]
    first = next((stand for stand in stands if stand.startswith(f"{lead} ")), lead)
    results = [f"{c[1]} gives {c[2]}" for c in event.calls if c[0] == "leave" and failed(c)]
    said = [first, *results]
    said += held_changes(before, event, after)
    said += value_changes(before, event, after)
    said += [stand for stand in stands if stand != first]
    return [f"{sentence}." for sentence in said]


def lead_of(event: Event) -> str:
    """The event itself; work has only a name, so it needs a verb; a pause is over."""
    if event.fact == "Paused":
        return f"{event.task} has waited for its time"
    return f"{event.task} does {event.text}" if event.fact == "Worked" else event.sentence


def failed(call: Sequence[str]) -> bool:
    """Whether what a function returned is worth a sentence: an errno, or no lock on a mapping."""
    result = call[2] if len(call) > 2 else ""
    return result.startswith("-E") or (call[1], result) == ("lock_vma_under_rcu", "NULL")


def opening(start: Snapshot) -> list[str]:
    """Say how everything stands before the first event."""
    names = tuple(start.tasks)
    said = [f"{'Tasks are' if len(names) > 1 else 'The task is'} {joined(names)}."]
    return said + standing(start)


def standing(snapshot: Snapshot) -> list[str]:
    """Say who holds a lock, and who queues or cannot move."""
    stands = {name: stand(snapshot, name) for name in snapshot.tasks}
    said = [*held_sentences(snapshot)]
    said += [now for name, now in stands.items() if now != f"{name} may go on"]
    return [f"{sentence}." for sentence in said]


def stand(snapshot: Snapshot, name: str) -> str:
    """How a task stands, and if it cannot move: for what it waits, behind whom, at which place."""
    view = snapshot.tasks[name]
    if view.state == "done":
        return f"{name} is done"
    if view.state == "asleep":
        return f"{name} sleeps until woken" + (f" ({view.manner})" if view.manner else "")
    if view.state == "blocked":
        to = f" to {view.mode}" if view.mode else ""
        behind = f" behind {joined(view.behind)}" if view.behind else ""
        place = f", {ordinal(view.place)} in its queue" if view.place else ""
        return f"{name} waits for {view.lock}{to}{behind}{place}"
    for lock, state in snapshot.locks.items():
        for at, waiter in enumerate(queue(state), 1):
            if waiter[0] == name:
                return f"{name} may go on, {ordinal(at)} in the queue for {lock} to {waiter[1]}"
    return f"{name} may go on"


def changed_stands(before: Snapshot, event: Event, after: Snapshot) -> Iterator[str]:
    """How each task stands that stood otherwise before; its own step shows that a task may go on.

    A task that runs again is thought to have left its queue, so it says if it has not.
    """
    moved = event.fact not in {"Killed", "DeadlinePassed"}
    for name in after.tasks:
        now = stand(after, name)
        own = moved and name == event.task
        if now == f"{name} may go on" and own:
            continue
        if now != stand(before, name) or (own and event.fact == "Resumed"):
            yield now


def holders(state: Any) -> Held:
    """Who holds a lock, in which mode, how often."""
    readers = getattr(state, "readers", ())
    return Counter((name, "read" if name in readers else "write") for name in state.holders)


def queue(state: Any) -> list[tuple[str, str]]:
    """Who is in a lock's queue, and for what."""
    return [(waiter.task, waiter.mode) for waiter in getattr(state, "queue", ())]


def held_changes(before: Snapshot, event: Event, after: Snapshot) -> Iterator[str]:
    """Who came to hold the lock of an event, or holds it no more, without having said so."""
    lock = event.object
    state = after.objects.get(lock)
    if not hasattr(state, "holders"):
        return
    was = holders(before.objects[lock]) if lock in before.objects else Counter()
    now = holders(state)
    if event.fact in {"LockReleased", "LockDowngraded"}:
        was[event.task, "write" if event.fact == "LockDowngraded" else event.mode] -= 1
    for name, mode in +was - now:
        yield f"{name} no longer holds {lock} for {mode}"
    said = (event.task, event.mode) if event.fact in {"LockAcquired", "LockDowngraded"} else None
    for (name, mode), times in now.items():
        if times > was[name, mode] and (times > 1 or (name, mode) != said):
            yield f"{name} now holds {lock} for {mode}{f' {times} times' if times > 1 else ''}"


def held_sentences(snapshot: Snapshot) -> Iterator[str]:
    """Say who holds what."""
    for lock, state in snapshot.locks.items():
        for (name, mode), times in holders(state).items():
            yield f"{name} holds {lock} for {mode}{f' {times} times' if times > 1 else ''}"


def lock_sentences(snapshot: Snapshot) -> Iterator[str]:
    """Say who holds and who queues; free locks are left out."""
    yield from held_sentences(snapshot)
    for lock, state in snapshot.locks.items():
        for at, (name, mode) in enumerate(queue(state), 1):
            yield f"{name} is {ordinal(at)} in the queue for {lock} to {mode}"


def value_changes(before: Snapshot, event: Event, after: Snapshot) -> Iterator[str]:
    """What the fields, entries or the word of an event's object have become."""
    name = event.object
    if before.objects.get(name) == after.objects.get(name):
        return
    was, now = parts(before.objects.get(name)), parts(after.objects.get(name))
    keys = [key for key in {**now, **was} if differ(was.get(key), now.get(key))]
    if len(keys) == 1 and event.text.endswith(f" {now.get(keys[0], 'none')}"):
        return
    changes = [(key, now.get(key, "none")) for key in keys]
    said = [f"{key} is now {value}".strip() for key, value in in_ranges(changes)]
    if said:
        yield f"In {name}, {'; '.join(said)}"


def differ(was: str | None, now: str | None) -> bool:
    """Whether a part has changed; one that was not there before was nothing."""
    return was != now and not (was is None and now in NOTHING)


def parts(state: Any) -> Mapping[str, str]:
    """A state as its parts, each in words. Locks and tasks have sentences of their own."""
    if state is None or hasattr(state, "holders") or hasattr(state, "signal"):
        return {}
    if not hasattr(state, "__struct_fields__"):
        return {"its value": words(state)}
    fields = {name: getattr(state, name) for name in state.__struct_fields__}
    entries = fields.pop("entries", ())
    found = {name: words(value) for name, value in fields.items()}
    if state.__struct_config__.tag == "queue":
        found["the list"] = words(entries)
    elif entries and len(entries[0]) == 2:
        found |= {address(key): words(value) for key, value in entries}
    else:
        found |= {name: f"{start:#x}-{end:#x}" for start, end, name in entries}
    return found


def address(page: Any) -> str:
    """An entry's name: its address, if it has one."""
    return f"{page * PAGE:#x}" if isinstance(page, int) else str(page)


def words(value: Any) -> str:
    """A value in a few words."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return hex(value) if abs(value) > LARGE else str(value)
    if isinstance(value, tuple):
        return ", ".join(words(one) for one in value)
    if hasattr(value, "__struct_fields__"):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return " ".join(field_words(name, one) for name, one in fields if one or name == "write")
    return str(value)


def field_words(name: str, value: Any) -> str:
    """A field inside a longer phrase."""
    if name == "write":
        return "writable" if value else "read-only"
    return name if value is True else words(value)


def in_ranges(changes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join neighbouring pages that have become the same."""
    spans: list[tuple[str, str, str]] = []
    for key, value in changes:
        first, last, same = spans[-1] if spans else ("", "", "")
        if value == same and follows(key, last):
            spans[-1] = (first, key, value)
        else:
            spans.append((key, key, value))
    return [(a if a == b else f"{a} to {b}", value) for a, b, value in spans]


def follows(key: str, last: str) -> bool:
    """Whether one address is the page after another."""
    both = key.startswith("0x") and last.startswith("0x")
    return both and int(key, 16) == int(last, 16) + PAGE
