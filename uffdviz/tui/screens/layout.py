"""Which panels stand where: by the size of the terminal and by what is hidden, as data."""

from collections.abc import Collection
from typing import Final, NamedTuple

DECK: Final = ("narration", "source", "timeline", "memory", "totals", "graph")
PANELS: Final = ("tasks", "locks", *DECK, "now")
FRONT: Final = "front"
"""The place of the deck's panel that is in front."""
LANES: Final = "lanes"
"""As high as the lanes of the timeline need."""
FEW: Final = "few"
"""As many lines as a low terminal has for Now."""


class Band(NamedTuple):
    """Rows that belong together: the panels of both columns, from above, and how high a row is."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    rows: tuple[str, ...]


class Layout(NamedTuple):
    """`name` is a class of the screen; of the panels in `deck` one is shown at a time."""

    name: str
    deck: tuple[str, ...]
    bands: tuple[Band, ...]


class Seats(NamedTuple):
    """The rows of the grid, and how many columns and rows each panel takes."""

    rows: str
    spans: dict[str, tuple[int, int]]


NOW: Final = Band(("now",), (), ("5",))
SMALL: Final = Layout(
    "small", DECK, (Band(("tasks",), ("locks",), ("10",)), Band((FRONT,), (), ("1fr",)), NOW)
)
MEDIUM: Final = Layout(
    "medium",
    ("narration", "memory", "totals", "graph"),
    (
        Band(("tasks",), ("locks",), ("3fr",)),
        Band(("source",), (FRONT,), ("4fr",)),
        Band(("timeline",), (), (LANES,)),
        NOW,
    ),
)
LARGE: Final = Layout(
    "large",
    ("narration", "totals", "graph"),
    (
        Band(("tasks",), ("locks",), ("6fr",)),
        Band(("source",), ("memory", FRONT), ("3fr", "7fr")),
        Band(("timeline",), (), (LANES,)),
        NOW,
    ),
)
NOW_LINES: Final = Band(("now",), (), (FEW,))
LOW: Final = Layout("low", ("locks", *DECK), (Band(("tasks",), (FRONT,), ("1fr",)), NOW_LINES))
THIN: Final = Layout("thin", ("tasks", "locks", *DECK), (Band((FRONT,), (), ("1fr",)), NOW_LINES))
LAYOUTS: Final = (THIN, LOW, SMALL, MEDIUM, LARGE)
LECTURE: Final = (Band(("tasks",), ("locks",), ("1fr",)), Band(("now",), (), ("7",)))
"""Few and large, whatever the size."""
LECTURE_GOAL: Final = (LECTURE[0], Band((FRONT,), (), ("1fr",)), LECTURE[1])
"""With the goal that the audience is to reach."""


def layout_for(width: int, height: int) -> Layout:
    """The largest layout that is readable at this size."""
    if width >= 110 and height >= 36:
        return LARGE
    if width >= 96 and height >= 28:
        return MEDIUM
    if height >= 22:
        return SMALL
    return LOW if width >= 60 else THIN


def lines_for(height: int) -> int:
    """How many lines Now has where it has no border."""
    return 2 if height >= 12 else 1


def seats(bands: Collection[Band], hidden: Collection[str], lanes: int, lines: int = 2) -> Seats:
    """Seat the panels that are not hidden; those that stay take the room of the others."""
    rows: list[str] = []
    spans: dict[str, tuple[int, int]] = {}
    for band in bands:
        columns = [[name for name in side if name not in hidden] for side in band[:2]]
        seated = [column for column in columns if column]
        if not seated:
            continue
        height = max(len(column) for column in seated)
        rows += band.rows if height == len(band.rows) else [_together(band.rows)]
        for column in seated:
            for name in column:
                last = name == column[-1]
                spans[name] = (3 - len(seated), height - len(column) + 1 if last else 1)
    if not any("fr" in row for row in rows):
        rows[0] = "1fr"
    return Seats(" ".join(rows).replace(LANES, str(lanes)).replace(FEW, str(lines)), spans)


def _together(rows: Collection[str]) -> str:
    """As high as several rows that share what room there is."""
    return f"{sum(int(row.removesuffix('fr')) for row in rows)}fr"
