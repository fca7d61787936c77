"""Which panels stand where: by the size of the terminal, as data."""

from typing import Final, NamedTuple

DECK: Final = ("narration", "source", "timeline", "memory", "totals", "graph")


class Layout(NamedTuple):
    """`name` is a class of the screen; of the panels in `deck` one is shown at a time."""

    name: str
    deck: tuple[str, ...]


SMALL: Final = Layout("small", DECK)
MEDIUM: Final = Layout("medium", ("narration", "memory", "totals", "graph"))
LARGE: Final = Layout("large", ("narration", "totals", "graph"))
LAYOUTS: Final = (SMALL, MEDIUM, LARGE)


def layout_for(width: int, height: int) -> Layout:
    """The largest layout that is readable at this size."""
    if width >= 110 and height >= 36:
        return LARGE
    if width >= 96 and height >= 28:
        return MEDIUM
    return SMALL
