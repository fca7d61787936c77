"""What the oracle says, in a sign and a word."""

from collections.abc import Mapping

from uffdviz.trace.ahead_words import Fate, percent
from uffdviz.tui.render.line import Span


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
