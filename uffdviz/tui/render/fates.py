"""What the oracle says, in a sign and a word."""

from collections.abc import Mapping

from uffdviz.tui.render.line import Span
from uffdviz.tui.tools import Fate

NAMES = {"L1": "a standstill", "L2": "a lost wake-up", "L6": "a lost wake-up"}


def fate_spans(fates: Mapping[str, Fate]) -> dict[str, Span]:
    """A word for each choice."""
    return {choice: fate_span(fate) for choice, fate in fates.items()}


def fate_span(fate: Fate) -> Span:
    """A sign and a word for what can come of a move."""
    match fate.word:
        case "safe":
            return Span("✓ safe   ", "good")
        case "doomed":
            return Span("✗ doomed ", "bad")
        case "risky":
            return Span(f"△ {percent(fate.chance):<6} ", "write")
        case _:
            return Span("?        ", "dim")


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
