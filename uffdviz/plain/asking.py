"""What can be asked about a run: how it stands, what can come of it, what words mean."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from uffdviz.course.shelf import AFTER, BEFORE
from uffdviz.course.words import explain
from uffdviz.plain.hearing import Command, Commands
from uffdviz.trace.profile_words import race_sentences, sweep_sentences
from uffdviz.trace.speak import joined, lock_sentences, stand

if TYPE_CHECKING:
    from uffdviz.plain.talk import Talk


def why(talk: "Talk", _: str) -> Iterator[str]:
    """Why those who wait must wait."""
    tasks = talk.now.tasks
    waiting = [name for name, view in tasks.items() if view.state in {"blocked", "asleep"}]
    for name in waiting:
        yield f"{stand(talk.now, name)}."
        for other in tasks[name].behind:
            yield f"  {doing(talk, other)}"
    if not waiting:
        yield "Nobody waits."
    yield talk.next()


def doing(talk: "Talk", name: str) -> str:
    """What a task does, where, and what it holds."""
    view = talk.now.tasks[name]
    place = f", in {view.function} {view.step}".rstrip() if view.function else ""
    call = f", in the call {view.call}" if view.call else ""
    held = [f"{lock} for {mode}" for lock, mode in view.holds]
    holds = f"; it holds {joined(held)}" if held else ""
    results = f"; it returned {', '.join(view.results)}" if view.results else ""
    return f"{stand(talk.now, name)}{call}{place}{holds}{results}."


def tasks(talk: "Talk", _: str) -> Iterator[str]:
    """What every task does, and what it holds."""
    yield from (doing(talk, name) for name in talk.session.tasks)


def locks(talk: "Talk", _: str) -> Iterator[str]:
    """Who holds and who queues, lock by lock."""
    said = [f"{sentence}." for sentence in lock_sentences(talk.now)]
    yield from said or ["Every lock is free."]


def oracle(talk: "Talk", _: str) -> Iterator[str]:
    """What can come of each move."""
    if talk.tools is None:
        yield "This run cannot be searched."
        return
    known = talk.tools.oracle(lambda *_: True)
    if not known.ready:
        yield "There are too many states to see all of them."
        return
    session = talk.session
    fates = known.of_moves(session.events, session.n, session.choices())
    for name, fate in fates.items():
        harm = f": {fate.what} in {fate.steps} steps at the nearest" if fate.what else ""
        yield f"A step of {name} is {fate.word}{harm}."
    if not fates:
        yield talk.next()


def find(talk: "Talk", words: str) -> Iterator[str]:
    """Show one order, from here on, in which a task comes to a landmark."""
    if talk.tools is None:
        yield "This run cannot be searched."
        return
    found = talk.tools.find(words, lambda *_: True)
    for way in found.ahead:
        yield f"{len(way.choices)} steps: {'; '.join(way.schedule)}."
    if not found.ahead:
        none = "No order leads there from here." if found.finished else "None was found."
        yield found.why or none


def race(talk: "Talk", era: str) -> Iterator[str]:
    """A race against another kernel: the same calls by time alone; ^C stops it."""
    if talk.tools is None:
        yield "This run cannot be compared."
        return
    workload = talk.tools.rivals(era or (BEFORE if talk.session.era != BEFORE else AFTER))
    yield f"{' and '.join(workload.eras)} race from the beginning, by time alone. ^C stops them."
    try:
        pair = workload.race(lambda *_: True)
    except KeyboardInterrupt:
        if workload.so_far is None:
            yield "Stopped before anything is known."
            return
        pair = workload.so_far
    yield from race_sentences(pair)


def vary(talk: "Talk", text: str) -> Iterator[str]:
    """Vary a cost or a count under the kernel before the series and this one."""
    if talk.tools is None:
        yield "This run cannot be compared."
        return
    own = talk.session.era
    series = talk.tools.rivals(BEFORE if own != BEFORE else AFTER).sweep(text)
    with suppress(KeyboardInterrupt):
        series.run(lambda *_: True)
    yield from sweep_sentences(series.so_far)
    if series.done < series.runs:
        yield f"Stopped after {series.done} of {series.runs} runs."


def meaning(talk: "Talk", word: str) -> Iterator[str]:
    """What a lock, errno, function or step is."""
    for one in explain(word, talk.session.era):
        yield f"{one.word}: {' '.join(one.text.split())} Source: {one.source}."


COMMANDS: Final[Commands] = {
    "why": Command(why),
    "tasks": Command(tasks),
    "locks": Command(locks),
    "o": Command(oracle),
    "where": Command(find, "TASK LANDMARK"),
    "c": Command(race, "[KERNEL]"),
    "vary": Command(vary, "NAME=A..B"),
    "explain": Command(meaning, "WORD"),
}
