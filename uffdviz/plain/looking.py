"""How a run stands, said in sentences: what the panels of the screen show."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from uffdviz.course.words import explain
from uffdviz.errors import UffdvizError, UsageError, near_miss
from uffdviz.plain.hearing import Command, Commands
from uffdviz.trace.lock_order import comes_back, lock_order
from uffdviz.trace.memory import WORDS, Mapped, spaces
from uffdviz.trace.profile_words import span
from uffdviz.trace.snapshot import PAGE, Snapshot
from uffdviz.trace.speak import counting, in_ranges, joined, lock_sentences, stand
from uffdviz.trace.things import things

if TYPE_CHECKING:
    from uffdviz.plain.talk import Talk

SPENT: Final = (
    ("ran", "running_ns"),
    ("ready", "runnable_ns"),
    ("uninterruptible", "uninterruptible_ns"),
    ("killable", "killable_ns"),
    ("userfaultfd", "userfaultfd_ns"),
)


def why(talk: "Talk", _: str) -> Iterator[str]:
    """Why those who wait must wait."""
    yield from waiting_sentences(talk.now)
    yield from talk.onward()


def waiting_sentences(now: Snapshot) -> Iterator[str]:
    """Who waits, and what those do whom they wait for."""
    waiting = [name for name, view in now.tasks.items() if view.state in {"blocked", "asleep"}]
    for name in waiting:
        yield f"{stand(now, name)}."
        for other in now.tasks[name].behind:
            yield f"  {doing(now, other)}"
    if not waiting:
        yield "Nobody waits."


def doing(now: Snapshot, name: str) -> str:
    """What a task does, where, and what it holds."""
    view = now.tasks[name]
    place = f", in {view.function} {view.step}".rstrip() if view.function else ""
    call = f", in the call {view.call}" if view.call else ""
    held = [f"{lock} for {mode}" for lock, mode in view.holds]
    holds = f"; it holds {joined(held)}" if held else ""
    results = f"; it returned {', '.join(view.results)}" if view.results else ""
    return f"{stand(now, name)}{call}{place}{holds}{results}."


def tasks(talk: "Talk", _: str) -> Iterator[str]:
    """What every task does, and what it holds."""
    yield from (doing(talk.now, name) for name in talk.session.tasks)


def locks(talk: "Talk", _: str) -> Iterator[str]:
    """Who holds and who queues, lock by lock."""
    yield from locks_said(talk.now)


def locks_said(now: Snapshot) -> Iterator[str]:
    """Who holds and who queues, or that nobody does."""
    said = [f"{sentence}." for sentence in lock_sentences(now)]
    yield from said or ["Every lock is free."]


def graph(talk: "Talk", _: str) -> Iterator[str]:
    """Who waits for whom, and the order of locks."""
    yield from waiting_sentences(talk.now)
    order = lock_order(talk.session.events[: talk.session.n])
    for (first, second), (task, n) in order.items():
        back = first != second and comes_back(order, second, first)
        both = ", and the other way round" if back else ""
        yield f"{first} first, then {second}: {task}, step {n}{both}."
    if not order:
        yield "No lock was taken while holding another, so far."


def memory(talk: "Talk", _: str) -> Iterator[str]:
    """Mappings by address, with their pages."""
    said = [
        sentence
        for space, mapped in spaces(talk.now.objects)
        for sentence in [
            *([f"Address space{space}:"] if space else []),
            *map(mapping_words, mapped),
        ]
    ]
    yield from said or ["There is no mapping."]


def mapping_words(one: Mapped) -> str:
    """A mapping in a sentence: protection and the rest, then what its pages are."""
    pages = [(f"{one.start + at * PAGE:#x}", WORDS.get(s, s)) for at, s in enumerate(one.pages)]
    said = [f"{where} {what}" for where, what in in_ranges(pages)]
    more = [f"{one.more} more"] if one.more else []
    return f"{one.name}, {', '.join(filter(None, one.about))}: {'; '.join([*said, *more])}."


def source(talk: "Talk", name: str) -> Iterator[str]:
    """The function that a task runs, and what it runs next there; by itself of the task that moved.

    Raises: UsageError if there is no such task.
    """
    session, n = talk.session, talk.session.n
    names = session.tasks
    name = names[int(name) - 1] if name.isdecimal() and 1 <= int(name) <= len(names) else name
    name = name or (session.events[n - 1].task if n else names[0])
    if name not in names:
        msg = f"no task {name!r}; tasks are {', '.join(names)}{near_miss(name, names)}"
        raise UsageError(msg)
    listing = session.listing(name, n)
    if not listing.path:
        yield f"{name} runs no kernel function."
        return
    yield f"{name} is in {', from there in '.join(listing.path)}."
    for row, (label, words, *_) in enumerate(listing.rows):
        here = [task for task in names if listing.at.get(task) == row]
        mark = f"{joined(here)} next: " if here else ""
        yield f"{mark}{label} {words}".rstrip() if label else f"{mark}{words}".rstrip()


def totals(talk: "Talk", _: str) -> Iterator[str]:
    """How long locks were waited for and held, and where the time of each task went."""
    yield from total_words(talk.session.totals(talk.session.n))


def total_words(sums: Mapping[str, Any]) -> Iterator[str]:
    """The totals so far, a sentence a lock and a task."""
    for row in sums["locks"]:
        if row["acquisitions"] or row["contentions"]:
            to = f" to {row['mode']}" if row["mode"] else ""
            contended, waited = row["contentions"], row["wait_ns"]["total"]
            said = [
                f"taken {counting(row['acquisitions'], 'time')}",
                f"contended {counting(contended, 'time')}" * bool(contended),
                f"waited {span(waited)}" * bool(waited),
                f"longest hold {span(row['hold_ns']['max'])}" * bool(row["hold_ns"]["max"]),
            ]
            yield f"{row['lock']}{to}: {', '.join(filter(None, said))}."
    yield f"Wall clock {span(sums['wall_ns'])}."
    for task, row in sums["tasks"].items():
        spent = [f"{word} {span(ns)}" for word, key in SPENT if (ns := _sum(row[key]))]
        yield f"{task}: {', '.join(spent) or 'nothing yet'}."


def _sum(value: Any) -> int:
    return sum(value.values()) if isinstance(value, Mapping) else int(value)


def here(talk: "Talk", _: str) -> Iterator[str]:
    """Explain the lock, function or result of this step."""
    session, n = talk.session, talk.session.n
    event = session.events[n - 1] if n else None
    task = talk.now.tasks[event.task if event else session.tasks[0]]
    found = False
    for word in things(event, task, session.era):
        try:
            one = explain(word, session.era)[0]
        except UffdvizError:
            continue
        found = True
        yield explanation(one.word, one.text, one.source)
    if not found:
        yield "Nothing here has an explanation; explain WORD asks for another."


def meaning(talk: "Talk", word: str) -> Iterator[str]:
    """What a lock, errno, function or step is."""
    for one in explain(word, talk.session.era):
        yield explanation(one.word, one.text, one.source)


def explanation(word: str, text: str, where: str) -> str:
    """A word, its paragraph, its source."""
    return f"{word}: {' '.join(text.split())} Source: {where}."


COMMANDS: Final[Commands] = {
    "why": Command(why),
    "tasks": Command(tasks),
    "locks": Command(locks),
    "memory": Command(memory),
    "source": Command(source, "[TASK]"),
    "totals": Command(totals),
    "w": Command(graph),
    "i": Command(here),
    "explain": Command(meaning, "WORD"),
}
