"""What the oracle and the search have to say of a run, as sentences."""

from collections.abc import Sequence
from typing import Final, Literal, Protocol

NAMES: Final = {"L1": "a standstill", "L2": "a lost wake-up", "L6": "a lost wake-up"}


class Fate(Protocol):
    """What can come of a move."""

    @property
    def word(self) -> Literal["safe", "risky", "doomed", "unknown"]:
        """Whether a finding is impossible, possible or certain."""

    @property
    def steps(self) -> int:
        """How far the nearest finding is."""

    @property
    def chance(self) -> float:
        """How likely a finding is if everybody moves by chance."""

    @property
    def what(self) -> str:
        """Which property the nearest finding breaks."""


class Ahead(Protocol):
    """A finding that lies ahead, and the choices that lead there."""

    @property
    def ident(self) -> str:
        """Which property it breaks; empty: it is a place that was asked for."""

    @property
    def text(self) -> str:
        """What goes wrong."""

    @property
    def schedule(self) -> Sequence[str]:
        """The way there, in words."""

    @property
    def choices(self) -> Sequence[str]:
        """The way there, one choice a step."""

    @property
    def known(self) -> bool:
        """Whether it is a known flaw of this kernel."""


class Found(Protocol):
    """What a search has shown."""

    @property
    def ahead(self) -> Sequence[Ahead]:
        """What was found."""

    @property
    def states(self) -> int:
        """How many states were seen."""

    @property
    def finished(self) -> bool:
        """Whether there can be no more."""

    @property
    def why(self) -> str:
        """Why the search could not be made."""


def percent(chance: float) -> str:
    """A chance as people say it."""
    if chance < 0.01:
        return "<1%"
    return ">99%" if chance > 0.99 else f"{chance:.0%}"


def fate_words(fate: Fate) -> str:
    """What can come of where the run is, as a sentence."""
    what = f"{NAMES.get(fate.what, fate.what)}"
    match fate.word:
        case "safe":
            return "Nothing can go wrong any more, whatever the order."
        case "doomed" if not fate.steps:
            return f"It has gone wrong: {what}."
        case "doomed":
            return f"Every order from here ends in {what}, {steps_words(fate.steps)}."
        case "risky":
            away = steps_words(fate.steps)
            return f"Can go wrong: {what} is {away}, {percent(fate.chance)} of runs by chance."
        case _:
            return "The oracle does not know this place."


def steps_words(steps: int) -> str:
    """A distance."""
    return "one step away" if steps == 1 else f"{steps} steps away"


def found_words(found: Found) -> str:
    """What a search for anything that goes wrong has shown, in a sentence."""
    if found.why:
        return found.why
    states = f"{found.states:,} states. "
    if not found.ahead:
        end = "Nothing can go wrong from here."
        return states + (end if found.finished else "Stopped: nothing found so far.")
    return states + ("That is all." if found.finished else "Stopped: there may be more.")


def way_words(found: Found, asked: str) -> str:
    """What a search for a landmark has shown, in a sentence."""
    if found.why:
        return found.why
    states = f"{found.states:,} states. "
    if found.ahead:
        way = "This is the easiest way there."
        return states + (
            way if found.finished else "Stopped: a way there, perhaps not the easiest."
        )
    none = f"No order from here leads to “{asked}”."
    return states + (none if found.finished else f"Stopped: no way to “{asked}” found so far.")


def finding_words(ahead: Ahead) -> tuple[str, str]:
    """A finding, and the way to it."""
    known = " (known flaw of this kernel)" if ahead.known else ""
    title = f"{ahead.ident}{known}: {ahead.text}" if ahead.ident else f"where {ahead.text}"
    steps = "1 step" if len(ahead.choices) == 1 else f"{len(ahead.choices)} steps"
    return title, f"{steps}: {'; '.join(ahead.schedule)}"
