"""A run as a Mermaid sequence diagram: tasks on the left, the locks that they met on the right."""

import re
from collections.abc import Sequence

from uffdviz.trace.events import Event

ARROWS = {
    "LockAcquired": ("->>", "holds for {mode}"),
    "LockContended": ("--x", "waits to {mode}, behind {tasks}"),
    "LockRefused": ("--x", "not got to {mode}"),
    "LockReleased": ("-->>", "releases"),
    "LockDowngraded": ("-->>", "downgrades to read"),
    "LockGaveUp": ("--x", "gives up"),
}
RESERVED = frozenset(
    [
        "activate",
        "actor",
        "alt",
        "and",
        "as",
        "autonumber",
        "box",
        "break",
        "create",
        "critical",
        "deactivate",
        "destroy",
        "else",
        "end",
        "link",
        "links",
        "loop",
        "note",
        "opt",
        "option",
        "over",
        "par",
        "participant",
        "rect",
        "title",
    ]
)
"""Words that Mermaid reads as its own where a name could stand."""


def mermaid(events: Sequence[Event], title: str) -> str:
    """Write what happened to locks, and the calls around it, as a sequence diagram."""
    told = [e for e in events if e.fact in ARROWS or e.fact in {"Called", "Returned"}]
    tasks = list(dict.fromkeys(e.task for e in told))
    locks = list(dict.fromkeys(e.object for e in told if e.fact in ARROWS))
    lines = ["---", f"title: {_plain(title)}", "---", "sequenceDiagram"]
    lines += [f"    actor {_id(t)} as {_plain(t)}" for t in tasks]
    lines += [f"    participant {_id(lock)} as {_plain(lock)}" for lock in locks]
    lines += [f"    {_line(e)}" for e in told]
    return "\n".join(lines) + "\n"


def _line(event: Event) -> str:
    if event.fact not in ARROWS:
        return f"Note over {_id(event.task)}: {_plain(event.text)}"
    arrow, words = ARROWS[event.fact]
    said = words.format(mode=event.mode, tasks=", ".join(event.tasks) or "nobody")
    return f"{_id(event.task)}{arrow}{_id(event.object)}: {event.n}. {_plain(said)}"


def _id(name: str) -> str:
    word = re.sub(r"\W", "_", name)
    return f"{word}_" if word.casefold() in RESERVED else word


def _plain(text: str) -> str:
    """Text without the characters that Mermaid reads as its own."""
    return re.sub(r"[#;:<>]", " ", text)
