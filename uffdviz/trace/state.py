"""Reads the states of objects by what they have, not by their types: those belong to the model."""

from typing import Any


def tag(state: Any) -> str:
    """What kind of record a state is (vma, tree, table …); empty if it is a number."""
    config = getattr(state, "__struct_config__", None)
    return str(config.tag or "") if config is not None else ""


def field(state: Any, name: str, default: Any = None) -> Any:
    """One field of a state, or the default if it has none."""
    return getattr(state, name, default)


def is_lock(state: Any) -> bool:
    """Whether somebody can hold it."""
    return hasattr(state, "holders")


def holders(state: Any) -> tuple[tuple[str, str], ...]:
    """Who holds a lock, and how: `(task, read or write)`."""
    writer = field(state, "writer", "") or field(state, "holder", "")
    return tuple((task, "write" if task == writer else "read") for task in state.holders)


def queue(state: Any) -> tuple[tuple[str, str], ...]:
    """Who waits for a lock, and how, first come first."""
    return tuple((waiter.task, waiter.mode) for waiter in field(state, "queue", ()))
