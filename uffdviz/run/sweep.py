"""Many timed runs: which ones a sweep asks for, and who does them.

The runs are done here, in other processes, or on a Dask cluster that already runs; what comes out is
the same whichever way, since a run is a function of its plan.
"""

import os
import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import (
    CancelledError,
    Future,
    ProcessPoolExecutor,
    as_completed,
    wait,
)
from contextlib import suppress
from importlib import import_module
from multiprocessing.process import BaseProcess
from signal import SIGINT, signal
from threading import Event
from typing import Any, Final

from msgspec.structs import replace

from uffdviz.errors import UsageError
from uffdviz.run.compare import comparison
from uffdviz.run.costs import shipped_costs
from uffdviz.run.measure import Plan, Progress, measure, set_up
from uffdviz.run.watch import Watch, how_far

MOST_POINTS: Final = 17
PATIENCE: Final = 5
STOPPED: Final = Event()
"""Whether this process was told to stop."""
NEWS: Final = 2_000_000
Done = tuple[int, dict[str, Any]]
"""Which plan, and its run."""


class Sweep:
    """One cost or count that takes several values."""

    def __init__(self, text: str) -> None:
        """Read `NAME=A..B`. Raises: UsageError."""
        match = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*=\s*(\d{1,15})\s*\.\.\s*(\d{1,15})\s*", text)
        if match is None:
            msg = f"sweep {text!r}: write NAME=A..B, a cost or a count, such as wake_latency=5000..40000"
            raise UsageError(msg)
        self.name = match[1]
        self.first, self.last = int(match[2]), int(match[3])
        if self.first > self.last:
            msg = f"sweep {text!r}: {self.first} is more than {self.last}"
            raise UsageError(msg)
        self.is_cost = self.name in shipped_costs()

    def values(self) -> list[int]:
        """A cost doubles from the first value to the last; a count takes each, or 17 of many."""
        span = self.last - self.first
        if self.is_cost:
            values = [self.first]
            while 0 < values[-1] * 2 < self.last:
                values.append(values[-1] * 2)
        elif span < MOST_POINTS:
            return list(range(self.first, self.last + 1))
        else:
            values = [self.first + span * i // (MOST_POINTS - 1) for i in range(MOST_POINTS)]
        return values if values[-1] == self.last else [*values, self.last]

    def plans(self, plans: Sequence[Plan]) -> list[Plan]:
        """Every run of the sweep: for each value those of `plans`."""
        return [self.plan(plan, value) for value in self.values() for plan in plans]

    def plan(self, plan: Plan, value: int) -> Plan:
        """The plan with this value."""
        if self.is_cost:
            return replace(plan, costs={**plan.costs, self.name: value})
        return replace(plan, counts={**plan.counts, self.name: value})


def run_plans(plans: Sequence[Plan], jobs: int = 1, cluster: str = "") -> dict[int, dict[str, Any]]:
    """Do all runs. Returns: each by its number; after a KeyboardInterrupt those that are known.

    Raises: UsageError, ScenarioError, before anything has run.
    """
    for plan in plans:
        set_up(plan)
    if cluster:
        source = on_cluster(plans, cluster)
    elif jobs > 1 and len(plans) > 1:
        source = in_processes(plans, jobs)
    else:
        source = one_by_one(plans)
    done: dict[int, dict[str, Any]] = {}
    try:
        for number, run in source:
            done[number] = run
            say_done(len(done), len(plans), run)
            if run["interrupted"]:
                break
    except KeyboardInterrupt:
        pass
    return dict(sorted(done.items()))


def points_of(
    sweep: Sweep, plans: Sequence[Plan], runs: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    """What is known of a sweep, by the keys of `compare --sweep --json`.

    Each point is a comparison; without all of its runs to their ends it is no point.
    """
    values = sweep.values()
    points = []
    for index, value in enumerate(values):
        found = {
            plan.era: runs[number]
            for offset, plan in enumerate(plans)
            if (number := index * len(plans) + offset) in runs and not runs[number]["unfinished"]
        }
        if len(found) == len(plans):
            points.append({"value": value, **comparison(plans[0].scenario, found)})
    return {
        "scenario": plans[0].scenario,
        "eras": [plan.era for plan in plans],
        "sweep": {"name": sweep.name, "values": values},
        "points": points,
        "not_done": [value for value in values if value not in {p["value"] for p in points}],
    }


def one_by_one(
    plans: Sequence[Plan], told: Callable[[Plan], Progress] | None = None
) -> Iterator[Done]:
    """Do the runs here; `told` hears how far each is, else standard error does."""
    for number, plan in enumerate(plans):
        yield number, measure(plan, (told or teller)(plan))


def in_processes(plans: Sequence[Plan], jobs: int) -> Generator[Done, None, None]:
    """Do the runs in so many processes; an interrupt stops them and keeps what they know."""
    pool = ProcessPoolExecutor(jobs, initializer=listen)
    futures = {pool.submit(measure_meanwhile, plan): n for n, plan in enumerate(plans)}
    try:
        for future in as_completed(list(futures)):
            yield futures.pop(future), future.result()
    except KeyboardInterrupt:
        yield from _rescued(pool, futures)
    finally:
        if not all(future.done() for future in futures):
            for process in _processes(pool):
                process.kill()
        pool.shutdown(cancel_futures=True)


def _processes(pool: ProcessPoolExecutor) -> list[BaseProcess]:
    return list((pool._processes or {}).values())  # nothing public names them


def _rescued(
    pool: ProcessPoolExecutor, futures: dict[Future[dict[str, Any]], int]
) -> Iterator[Done]:
    """What was done, and what the processes know once they are told to stop."""
    going = [future for future in futures if not future.cancel()]
    for process in _processes(pool):
        if process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, SIGINT)
    done, _ = wait(going, timeout=PATIENCE)
    runs = [(futures[future], future.result()) for future in done if future.exception() is None]
    yield from sorted(runs, key=lambda one: (one[1]["interrupted"], one[0]))


def listen() -> None:
    """Let Ctrl-C in a process only be noted, however often it comes: the run asks for it."""
    signal(SIGINT, lambda *_: STOPPED.set())


def measure_meanwhile(plan: Plan) -> dict[str, Any]:
    """Run a plan unless this process was told to stop.

    Raises: CancelledError if that was before it began.
    """
    if STOPPED.is_set():
        raise CancelledError
    return measure(plan, lambda *_: not STOPPED.is_set())


def on_cluster(plans: Sequence[Plan], address: str) -> Iterator[Done]:
    """Do the runs on a Dask cluster.

    Raises: UsageError without the extra, or if nobody answers at the address.
    """
    try:
        distributed = import_module("distributed")
    except ImportError:
        msg = "--cluster needs the extra 'cluster': pip install 'uffdviz[cluster]'"
        raise UsageError(msg) from None
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        msg = f"--cluster {address!r}: no Dask scheduler answers ({type(error).__name__})"
        raise UsageError(msg) from None
    with client:
        futures = {client.submit(measure, plan, pure=False): n for n, plan in enumerate(plans)}
        for future in distributed.as_completed(list(futures)):
            yield futures[future], future.result()


def teller(plan: Plan) -> Progress:
    """Say on standard error how far a run is, once a second."""
    return Watch(lambda steps, now, _: how_far(plan.era, steps, now)).tick


def say_done(done: int, of: int, run: dict[str, Any]) -> None:
    """Say on standard error that a run has ended, if it was long or one of many."""
    if sys.stderr.isatty() and (of > 2 or run["events"] > NEWS):
        sys.stderr.write(f"\x1b[K{done} of {of} runs: {run['era']}, {run['events']} steps\n")
