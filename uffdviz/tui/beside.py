"""A long question asked beside the screen: in a thread, with progress, and it can be stopped."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

from uffdviz.errors import UffdvizError
from uffdviz.tui.tools import Tick

T = TypeVar("T")
BREATH = 0.0005
"""How long the thread pauses at each tick, so that keys are answered meanwhile."""


class Beside(Generic[T]):
    """Asks `question`; `told` hears in the application's loop of progress and of the end.

    At the end `answer` is there, or `error` says why not.
    """

    def __init__(self, question: Callable[[Tick], T], told: Callable[["Beside[T]"], None]) -> None:
        self.states = 0
        self.answer: T | None = None
        self.error = ""
        self.over = False
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._told = told
        self._question = question
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="Beside", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop asking; what was found so far is still told."""
        self._stop.set()

    def leave(self) -> None:
        """Stop, tell nobody, and wait for the thread."""
        self._told = lambda _: None
        self._stop.set()
        self._thread.join(5)

    def tick(self, states: int, moves: int) -> bool:
        """Note how far it is. Returns: whether to go on."""
        if states // 5_000 != self.states // 5_000:
            self.states = states
            self._tell()
        return not self._stop.wait(BREATH)

    def _ask(self) -> None:
        try:
            self.answer = self._question(self.tick)
        except UffdvizError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001  nobody else would say what went wrong in a thread
            self.error = f"a mistake of ours: {error!r}"
        self.over = True
        self._tell()

    def _tell(self) -> None:
        try:
            _ = self._loop.call_soon_threadsafe(lambda: self._told(self), context=self._context)
        except RuntimeError:
            return  # the loop has ended meanwhile
