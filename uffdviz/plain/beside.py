"""A long question asked beside the talk: it says how far it is, and ^C stops it."""

import threading
from collections.abc import Callable, Generator
from queue import SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")
Tick = Callable[[int, int], bool]
FIRST: Final = 10_000
"""How far a question is when this is said for the first time; then each time it has doubled."""
SEARCHING: Final = "Searching every order: {} states so far. ^C stops it."


def asked(question: Callable[[Tick], T], words: str = SEARCHING) -> Generator[str, None, T]:
    """Ask in a thread, and say in these `words` now and then how far it is.

    Raises: what the question raises.
    """
    told: SimpleQueue[str | None] = SimpleQueue()
    stop = threading.Event()
    answers: list[T] = []
    failures: list[Exception] = []
    due = FIRST

    def tick(states: int, _: int) -> bool:
        nonlocal due
        if states >= due:
            told.put(words.format(f"{states:,}"))
            due = 2 * states
        return not stop.is_set()

    def ask() -> None:
        try:
            answers.append(question(tick))
        except Exception as error:  # noqa: BLE001  it is raised below, where somebody hears it
            failures.append(error)
        told.put(None)

    thread = threading.Thread(target=ask, name="Beside the talk", daemon=True)
    thread.start()
    try:
        yield from until_over(told, stop)
    finally:
        stop.set()
    if failures:
        raise failures[0]
    return answers[0]


def until_over(told: "SimpleQueue[str | None]", stop: threading.Event) -> Generator[str]:
    """Say what is told; ^C only asks to stop, the answer is waited for."""
    while True:
        try:
            words = told.get()
        except KeyboardInterrupt:
            stop.set()
            continue
        if words is None:
            return
        yield words
