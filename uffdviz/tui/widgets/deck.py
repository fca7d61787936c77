"""The title of a panel: its name, or all names of a deck; and signs that can be clicked."""

from collections.abc import Sequence
from typing import Final

from textual.content import Content

SIGNS: Final = {"[+]": "enlarge", "[-]": "enlarge", "[×]": "hide"}


def deck_title(names: Sequence[str], front: str, signs: str = "") -> Content:
    """All names, the front one marked, then the signs."""
    parts = [
        (word, "reverse" if name == front else "not bold" if front else "")
        for name, word in _words(names, front)
    ]
    title = Content(" ").join([Content.styled(*part) for part in parts])
    return Content.assemble(title, " ", (signs, "not bold")) if signs else title


def clicked(names: Sequence[str], front: str, signs: str, x: int) -> str:
    """What is at column `x` of the title: a name, `enlarge` or `hide`; empty: nothing."""
    at = 0
    for name, word in _words(names, front):
        if at <= x < at + len(word):
            return name if front else ""
        at += len(word) + 1
    sign = signs[(x - at) // 3 * 3 : (x - at) // 3 * 3 + 3] if x >= at else ""
    return SIGNS.get(sign, "")


def in_sight(names: Sequence[str], front: str, room: int) -> Sequence[str]:
    """The names in their order, or from the front one on if there is no room up to it."""
    if front not in names:
        return names
    at = names.index(front)
    before = " ".join(word for _, word in _words(names[: at + 1], front))
    return names if len(before) <= room else (*names[at:], *names[:at])


def _words(names: Sequence[str], front: str) -> list[tuple[str, str]]:
    return [(name, f"[{name.title()}]" if name == front else name.title()) for name in names]
