"""Which lessons a person has finished, and their best at each goal."""

import json
from typing import Any, Final

from uffdviz.places import state_dir

FILE: Final = "progress.json"


def read() -> dict[str, Any]:
    """Everything that is kept; nothing if that cannot be read."""
    try:
        table = json.loads((state_dir() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def write(table: dict[str, Any]) -> None:
    """Keep everything."""
    folder = state_dir()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(table, sort_keys=True), encoding="utf-8")


def finished() -> frozenset[str]:
    """The lessons that were read to their end."""
    names = read().get("finished", ())
    return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()


def finish(name: str) -> None:
    """Remember that a lesson was read to its end."""
    write({**read(), "finished": sorted({*finished(), name})})


def best(lesson: str, goal: int) -> int | None:
    """The fewest switches with which a goal of a lesson was reached so far."""
    kept = read().get("goals", {})
    found = kept.get(f"{lesson} {goal}") if isinstance(kept, dict) else None
    return found if isinstance(found, int) else None


def keep_best(lesson: str, goal: int, switches: int) -> None:
    """Remember how a goal was reached, if that is better than before."""
    before = best(lesson, goal)
    if before is None or switches < before:
        kept = read().get("goals", {})
        goals = kept if isinstance(kept, dict) else {}
        write({**read(), "goals": {**goals, f"{lesson} {goal}": switches}})


def through(lesson: str) -> frozenset[int]:
    """The goals of a lesson that were reached, by their places on the page."""
    kept = read().get("through", {})
    found = kept.get(lesson, ()) if isinstance(kept, dict) else ()
    return frozenset(found) if isinstance(found, list) else frozenset()


def get_through(lesson: str, goal: int) -> None:
    """Remember that a goal of a lesson was reached."""
    kept = read().get("through", {})
    others = kept if isinstance(kept, dict) else {}
    goals = sorted({*through(lesson), goal})
    write({**read(), "through": {**others, lesson: goals}})


def reset() -> int:
    """Forget everything. Returns: how many lessons were finished."""
    count = len(finished())
    (state_dir() / FILE).unlink(missing_ok=True)
    return count
