"""Tasks that wait for each other all round, while others may still move."""

from collections.abc import Collection, Mapping
from typing import Any


def find_circle(tasks: Mapping[str, Any]) -> tuple[str, ...]:
    """Tasks that wait for each other all round, if there are such."""
    for first in tasks:
        trail: list[str] = []
        name = first
        while name in tasks and tasks[name].state == "blocked" and name not in trail:
            trail.append(name)
            name = next((b for b in tasks[name].behind if tasks[b].state == "blocked"), "")
        if name in trail:
            return tuple(trail[trail.index(name) :])
    return ()


def circle_words(circle: Collection[str], tasks: Mapping[str, Any]) -> str:
    """The circle as one sentence."""
    steps = [f"{name} waits for {tasks[name].lock}" for name in circle]
    names = [*circle][1:] + [*circle][:1]
    links = [f"{step}, behind {name}" for step, name in zip(steps, names, strict=True)]
    return f"A circle, nobody in it can move again: {'; '.join(links)}."
