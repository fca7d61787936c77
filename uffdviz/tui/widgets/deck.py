"""The names of the panels of a deck, as the title of the one in front."""

from collections.abc import Sequence

from textual.content import Content


def deck_title(deck: Sequence[str], front: str) -> Content:
    """All names, the front one marked."""
    parts = [
        (word, "reverse" if name == front else "not bold") for name, word in _words(deck, front)
    ]
    return Content(" ").join([Content.styled(*part) for part in parts])


def tab_at(deck: Sequence[str], front: str, x: int) -> str:
    """Whose name is at column `x` of the title."""
    at = 0
    for name, word in _words(deck, front):
        if at <= x < at + len(word):
            return name
        at += len(word) + 1
    return ""


def _words(deck: Sequence[str], front: str) -> list[tuple[str, str]]:
    return [(name, f"[{name.title()}]" if name == front else name.title()) for name in deck]
