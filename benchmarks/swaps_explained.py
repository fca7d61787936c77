"""Single lines that may go or change places, because nobody can see it: which, and why."""

from typing import NamedTuple


class Harmless(NamedTuple):
    """One change that every test may miss."""

    function: str
    kind: str
    lines: tuple[str, ...]
    """The line, or both, in the order in which they stand."""
    why: str


HARMLESS = (
    Harmless(
        "_readers_in",
        "swap",
        (
            'readers = tuple(w.task for w in s.queue if w.mode == "read")',
            'writers = tuple(w for w in s.queue if w.mode == "write")',
        ),
        "both are read from one state, which does not change between them",
    ),
)
EXPLAINED = {(one.function, one.kind, " / ".join(one.lines)): one.why for one in HARMLESS}
