"""How many steps a second a timed run takes, and the same lock workload written with SimPy.

    python -m benchmarks.timed

First the whole model: `android-compaction` under v6.8, the first half million steps. Then readers
of one rwsem, with the costs of the model, driven by this program and by SimPy (of the
dependency group `benchmarks`); an event is a step here and an event that SimPy's loop handles there. Seconds are those
of the processor, the least of several runs, so that other work on the machine matters little; the
collector of garbage is off, as it is in `compare`.
"""

import gc
import sys
import time
from importlib import import_module
from typing import Any

from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.steps import Work
from uffdviz.run.lean import Lean
from uffdviz.run.measure import Plan, set_up
from uffdviz.run.scenario import Scenario, TaskTable, VmaTable
from uffdviz.run.setting import Setting

TASKS, ROUNDS = 8, 5000


def best(run: Any, tries: int = 3) -> tuple[int, float]:
    """The steps of a run and the least time that it took."""
    found = []
    for _ in range(tries):
        gc.collect()
        gc.disable()
        start = time.process_time()
        steps = run()
        found.append((time.process_time() - start, steps))
        gc.enable()
    seconds, steps = min(found)
    return steps, seconds


def model(steps: int) -> int:
    """Run the compaction so far."""
    lean = Lean(set_up(Plan("android-compaction", "v6.8")))
    lean.run(steps)
    return lean.steps


async def reader(k: Kernel) -> None:
    mm = k.stage.mm("mm")
    for _ in range(ROUNDS):
        await k.down_read(mm.lock)
        await Work("copy_page")
        await k.up_read(mm.lock)


def locks() -> int:
    """Readers of one lock, in this program."""
    table = TaskTable(name="t", count=TASKS, repeat=1)
    scenario = Scenario(vma=(VmaTable(name="v", pages=1),), task=(table,))
    setting = Setting(scenario, "v6.8")
    setting.stage.mm("mm")
    setting.lives = tuple((name, reader) for name, _ in setting.lives)
    lean = Lean(setting)
    lean.run()
    return lean.steps


def simpy_locks(simpy: Any) -> int:
    """The same with SimPy: a resource that all readers fit into, and the same three delays."""
    env = simpy.Environment()
    lock = simpy.Resource(env, capacity=TASKS)

    def life() -> Any:
        for _ in range(ROUNDS):
            with lock.request() as request:
                yield request
                yield env.timeout(20)
                yield env.timeout(400)
            yield env.timeout(20)

    for _ in range(TASKS):
        env.process(life())
    events = 0
    while env.peek() != float("inf"):
        env.step()
        events += 1
    return events


def main() -> None:
    steps, seconds = best(lambda: model(500_000))
    print(
        f"android-compaction, v6.8: {steps / seconds:,.0f} steps/s, {seconds:.2f} s of a processor"
    )
    steps, mine = best(locks)
    print(f"one lock, {TASKS} tasks:     {steps / mine:,.0f} steps/s, {mine:.2f} s")
    try:
        simpy = import_module("simpy")
    except ImportError:
        print("SimPy is not installed: uv sync --inexact --group benchmarks", file=sys.stderr)
        return
    events, theirs = best(lambda: simpy_locks(simpy))
    print(f"the same with SimPy:    {events / theirs:,.0f} events/s, {theirs:.2f} s")
    print(f"time here / time there: {mine / theirs:.2f}")


if __name__ == "__main__":
    main()
