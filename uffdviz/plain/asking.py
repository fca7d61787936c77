"""What takes a search or another run: oracle, explore, a schedule in words, another kernel."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from uffdviz.course.shelf import AFTER, BEFORE
from uffdviz.course.tools import RunTools
from uffdviz.errors import UsageError
from uffdviz.plain.beside import asked
from uffdviz.plain.comparing import Comparing
from uffdviz.plain.hearing import Command, Commands
from uffdviz.run.ahead import Ahead, Found
from uffdviz.run.oracle import Fate, Oracle
from uffdviz.run.workload import Workload
from uffdviz.trace.ahead_words import (
    fate_words,
    finding_words,
    found_words,
    percent,
    way_words,
)
from uffdviz.trace.profile import Pair
from uffdviz.trace.profile_words import race_sentences, sweep_sentences, wait_sentences
from uffdviz.trace.speak import counting, joined

if TYPE_CHECKING:
    from uffdviz.plain.talk import Talk

NOTHING: Final = "there is nothing to ask about this run"
FATES: Final = ("safe", "risky", "doomed", "unknown")
RACING: Final = "Racing: {} steps so far. ^C stops it."


class Findings:
    """What was found from one place of a run, and what is known of all of it."""

    def __init__(self) -> None:
        self.oracle: Oracle | None = None
        self.asking = False
        self.ahead: list[Ahead] = []
        self.from_here: tuple[str, ...] = ()
        self.pair: Pair | None = None

    def keep(self, found: Found, taken: tuple[str, ...]) -> None:
        """Keep what was found after some choices; from another place nothing of it is true."""
        if taken != self.from_here:
            self.ahead = []
        self.from_here = taken
        self.ahead += found.ahead


def tools_of(talk: "Talk") -> RunTools:
    """What can be asked.

    Raises: UsageError if nothing can.
    """
    if talk.tools is None:
        raise UsageError(NOTHING)
    return talk.tools


# the oracle


def oracle(talk: "Talk", _: str) -> Iterator[str]:
    """Oracle: is each move safe, risky or doomed, said at every step; o again ends it."""
    tools, findings = tools_of(talk), talk.findings
    findings.asking = not findings.asking
    if not findings.asking:
        yield "The oracle says nothing more."
        return
    if findings.oracle is None:
        known = yield from asked(tools.oracle)
        if not known.ready:
            findings.asking = False
            yield "The oracle has not seen every state: there are too many, or it was stopped."
            return
        findings.oracle = known
    yield from fates(talk)


def fates(talk: "Talk") -> Iterator[str]:
    """What can come of where one is, and of each move, if the oracle is asked."""
    known, session = talk.findings.oracle, talk.session
    if known is None or not talk.findings.asking:
        return
    lost = known.point_of_no_return(session.events)
    if lost is not None:
        yield f"The run was lost at step {lost}."
    yield fate_words(known.now(session.events, session.n))
    moves = known.of_moves(session.events, session.n, session.choices())
    for word in FATES:
        names = [name + chance(fate) for name, fate in moves.items() if fate.word == word]
        if names:
            yield f"{word.capitalize()}: a step of {joined(names)}."


def chance(fate: Fate) -> str:
    """How likely it is that a risky move goes wrong."""
    return f" ({percent(fate.chance)} of runs by chance go wrong)" if fate.word == "risky" else ""


# the search


def explore(talk: "Talk", number: str) -> Iterator[str]:
    """Explore: what can go wrong from here, and how; x NUMBER steps into a finding."""
    tools = tools_of(talk)
    if number:
        yield from step_into(talk, number)
        return
    found = yield from asked(tools.ahead)
    talk.findings.ahead = []
    yield found_words(found)
    yield from findings_said(talk, found)


def find(talk: "Talk", words: str) -> Iterator[str]:
    """Show me one where a task comes to a landmark; x NUMBER steps into it.

    Raises: UsageError if nothing is asked for.
    """
    tools = tools_of(talk)
    if not words:
        msg = "say where, for example: where gc waits for mmap_lock to read"
        raise UsageError(msg)
    found = yield from asked(
        lambda tick: tools.find(words, tick),
        f"Searching for a way to {words}: {{}} states so far. ^C stops it.",
    )
    yield way_words(found, words)
    yield from findings_said(talk, found)


def findings_said(talk: "Talk", found: Found) -> Iterator[str]:
    """Say what was found, each with what steps into it."""
    findings = talk.findings
    findings.keep(found, talk.taken())
    first = len(findings.ahead) - len(found.ahead) + 1
    for number, one in enumerate(found.ahead, first):
        title, way = finding_words(one)
        yield f"x {number}: {title}."
        yield f"  {way}."


def step_into(talk: "Talk", number: str) -> Iterator[str]:
    """Take the choices that lead to a finding.

    Raises: UsageError if there is no such finding, or if it was found from another place.
    """
    findings = talk.findings
    if findings.ahead and findings.from_here != talk.taken():
        msg = f"those were found from step {len(findings.from_here)} of another run, or before you moved; x searches from here"
        raise UsageError(msg)
    if not number.isdecimal() or not 1 <= int(number) <= len(findings.ahead):
        there = f"findings are 1 to {len(findings.ahead)}" if findings.ahead else "x searches"
        msg = f"no finding {number!r}; {there}"
        raise UsageError(msg)
    yield from walk(talk, findings.ahead[int(number) - 1].choices)


def walk(talk: "Talk", choices: Sequence[str]) -> Iterator[str]:
    """Take some choices, and say each step."""
    here = talk.session.n
    yield from talk.take_all(choices)
    yield f"{counting(len(choices), 'step')} on, from step {here}: p goes back through them."
    yield from talk.noticed()
    yield from talk.onward()


def schedule(talk: "Talk", words: str) -> Iterator[str]:
    """Play a schedule in words: gc until holds mmap_lock; app x2; everyone until done.

    Raises: UsageError if there are no words.
    """
    tools = tools_of(talk)
    if not words:
        msg = "say a schedule, as: k gc until holds mmap_lock; app x2; everyone until done"
        raise UsageError(msg)
    yield from walk(talk, tools.schedule(words))


# another kernel


def compare(talk: "Talk", era: str) -> Iterator[str]:
    """Compare: the same choices under another kernel; one that is too long for that is raced."""
    tools = tools_of(talk)
    rival = era or other(talk)
    workload = tools.workload(rival)
    if workload is not None:
        yield from run_race(talk, workload)
        return
    choices = talk.taken()
    run = yield from asked(
        lambda tick: tools.race(rival, choices, tick), "Running both: {} steps so far. ^C stops it."
    )
    talk.above = Comparing(tools, rival, run, talk.session.tasks)
    yield from talk.above.begin()


def other(talk: "Talk") -> str:
    """The kernel that a run is set beside if none is named: that before the series, or after it."""
    return BEFORE if talk.session.era != BEFORE else AFTER


def race(talk: "Talk", era: str) -> Iterator[str]:
    """Let two kernels race from the beginning, on virtual time; ^C stops them."""
    yield from run_race(talk, tools_of(talk).rivals(era or other(talk)))


def run_race(talk: "Talk", workload: Workload) -> Iterator[str]:
    """Race, and say how it went."""
    yield f"{' and '.join(workload.eras)} race from the beginning, by time alone. ^C stops them."
    talk.findings.pair = yield from asked(workload.race, RACING)
    yield from race_sentences(talk.findings.pair)


def waits(talk: "Talk", number: str) -> Iterator[str]:
    """The longest waits of the race in words, 3 of each kernel or as many as are asked for.

    Raises: UsageError if there was no race, or if that is no number.
    """
    pair = talk.findings.pair
    if pair is None or not (number or "3").isdecimal():
        msg = "there was no race yet: race" if pair is None else f"{number!r} is no number"
        raise UsageError(msg)
    for side in pair:
        longest = sorted(side.waits, key=lambda wait: wait.start - wait.end)
        for wait in longest[: int(number or "3")]:
            yield f"{'. '.join(wait_sentences(side.era, wait))}."
    if not any(side.waits for side in pair):
        yield "Nobody waited for a lock."


def vary(talk: "Talk", text: str) -> Iterator[str]:
    """Vary a cost or a count under the kernel before the series and this one; ^C stops it."""
    series = tools_of(talk).rivals(other(talk)).sweep(text)
    yield from sweep_sentences((yield from asked(series.run, RACING)))
    if series.done < series.runs:
        yield f"Stopped after {series.done} of {series.runs} runs."


COMMANDS: Final[Commands] = {
    "o": Command(oracle),
    "x": Command(explore, "[NUMBER]"),
    "where": Command(find, "TASK LANDMARK"),
    "k": Command(schedule, "SCHEDULE"),
    "c": Command(compare, "[KERNEL]"),
    "race": Command(race, "[KERNEL]"),
    "waits": Command(waits, "[NUMBER]"),
    "vary": Command(vary, "NAME=A..B"),
}
