"""A run in real time under trio: a trio task per simulated task, and one baton.

Whoever has the baton takes one step of the machine and hands it back, so at most one trio task is
ever ready and trio's own order does not matter. Pace, pause, time-outs and cancellation are trio's.
Only this file knows trio.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import trio

from uffdviz.errors import ModelError, UffdvizError
from uffdviz.run.interleaving import next_choice
from uffdviz.run.machine import Machine
from uffdviz.schedulers.base import Scheduler
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.events import Event

Reply = Callable[[Event | UffdvizError], None]


class Live:
    """Plays a machine. `told` hears of every event, in the order of events.

    `want`, `play`, `pause` and `close` may be called from any trio task at any time.
    """

    def __init__(
        self,
        machine: Machine,
        scheduler: Scheduler | None = None,
        told: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.machine = machine
        self.scheduler: Scheduler = scheduler or Timed()
        self.told = told
        self.pace = 0.0
        self.playing = False
        self._wanted: deque[tuple[str, Reply]] = deque()
        self._closed = False
        self._choice = ""
        self._result: Event | UffdvizError | None = None
        self._turns: dict[str, trio.Event] = {}
        self._back = trio.Event()
        self._poked = trio.Event()

    def want(self, choice: str, reply: Reply = lambda _: None) -> None:
        """Ask for one step, before any that the scheduler would choose."""
        self._wanted.append((choice, reply))
        self._poked.set()

    def play(self, pace: float = 0.0) -> None:
        """Let the scheduler choose a step every `pace` seconds."""
        self.pace = pace
        self.playing = True
        self._poked.set()

    def pause(self) -> None:
        """Stop playing; steps that are asked for are still taken."""
        self.playing = False
        self._poked.set()

    def close(self) -> None:
        """End the run after the step that is being taken."""
        self._closed = True
        self._poked.set()

    async def run(self, *, until_idle: bool = True) -> None:
        """Take steps until closed, or until there is nothing to do if `until_idle`."""
        async with trio.open_nursery() as nursery:
            for name in self.machine.tasks:
                self._turns[name] = trio.Event()
                nursery.start_soon(self._simulate, name)
            await self._direct(until_idle=until_idle)
            nursery.cancel_scope.cancel()

    async def play_to_end(self, pace: float = 0.0) -> None:
        """Play until nobody can move."""
        self.play(pace)
        await self.run()

    async def _simulate(self, name: str) -> None:
        """Be one simulated task: wait for the baton, take a step, hand it back."""
        while True:
            await self._turns[name].wait()
            self._turns[name] = trio.Event()
            self._result = self._step(name)
            self._back.set()

    def _step(self, name: str) -> Event | UffdvizError:
        try:
            return self.machine.step(self._choice)
        except UffdvizError as error:
            return error
        except Exception as error:  # noqa: BLE001  a group of exceptions would not say whose it is
            function, step = self.machine.tasks[name].place
            return ModelError(f"{name} in {function} {step}: {error!r}")

    async def _hand_over(self, choice: str) -> Event | UffdvizError:
        """Give the baton to whoever takes this choice, and wait until it is back."""
        *_, last = choice.split(" ")
        whom = last if last in self._turns else next(iter(self._turns))
        self._choice = choice
        self._back = trio.Event()
        self._turns[whom].set()
        await self._back.wait()
        result, self._result = self._result, None
        if isinstance(result, Event):
            self.told(result)
            return result
        return result or ModelError(f"{choice}: no event")

    async def _direct(self, *, until_idle: bool) -> None:
        while not self._closed:
            if self._wanted:
                choice, reply = self._wanted.popleft()
                reply(await self._hand_over(choice))
            elif self.playing:
                await self._play_one()
            elif until_idle:
                return
            else:
                await self._wait_for_word()

    async def _play_one(self) -> None:
        """Take one step of the scheduler's, a pace after the last, unless there is word meanwhile."""
        if self.pace > 0:
            with trio.move_on_after(self.pace):
                await self._wait_for_word()
                return
        choice = next_choice(self.machine, self.scheduler)
        if choice is None:
            self.playing = False
            return
        result = await self._hand_over(choice)
        if isinstance(result, UffdvizError):
            self.playing = False
            raise result

    async def _wait_for_word(self) -> None:
        await self._poked.wait()
        self._poked = trio.Event()


class Host(Protocol):
    """What a guest needs of the event loop that it lives in; asyncio's has it."""

    def call_soon_threadsafe(self, callback: Callable[..., object], /, *args: Any) -> object:
        """Call soon, from any thread."""

    def create_future(self) -> Any:
        """Make a future of this loop."""


class Guest:
    """A live run inside another event loop (trio's guest mode).

    `await opened` before anything else: the run is started, not yet there. `await close()` before
    the host's loop ends, or the thread can never run trio again.
    """

    def __init__(self, live: Live, host: Host) -> None:
        self.live = live
        self.opened = host.create_future()
        self.closed = host.create_future()
        self._host = host
        self._token: trio.lowlevel.TrioToken | None = None
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=host.call_soon_threadsafe,
            done_callback=self._done,
            host_uses_signal_set_wakeup_fd=True,
        )

    async def step(self, choice: str) -> Event:
        """Take one step. Raises: what the machine raises."""
        answer = self._host.create_future()

        def reply(result: Event | UffdvizError) -> None:
            if not answer.done():
                answer.set_result(result)

        self._tell(self.live.want, choice, reply)
        result = await answer
        if isinstance(result, UffdvizError):
            raise result
        event: Event = result
        return event

    def play(self, pace: float) -> None:
        self._tell(self.live.play, pace)

    def pause(self) -> None:
        self._tell(self.live.pause)

    async def close(self) -> None:
        """End the run, and wait until it has ended."""
        await self.opened
        self._tell(self.live.close)
        await self.closed

    def _tell(self, word: Callable[..., None], *args: Any) -> None:
        if self._token is not None and not self.closed.done():
            self._token.run_sync_soon(word, *args)

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self.opened.set_result(None)
        await self.live.run(until_idle=False)

    def _done(self, outcome: Any) -> None:
        if self.closed.done():
            return
        error = getattr(outcome, "error", None)
        if error is None:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(error)
