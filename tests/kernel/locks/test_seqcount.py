"""A look under a sequence count holds only if nobody wrote meanwhile, in whatever order."""

from tests.kernel.harness import every_ending, scene, unfinished
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.locks.seqcount import SeqCount
from uffdviz.kernel.steps import Obj
from uffdviz.run.machine import Machine

COUNT = Obj("seqcount", "count", SeqCount())
LEFT, RIGHT = Obj("word", "left", 0), Obj("word", "right", 0)


async def look(k: Kernel) -> tuple[int, int]:
    while True:
        await k.read_seqcount_begin(COUNT)
        seen = await k.read_once(LEFT), await k.read_once(RIGHT)
        if not await k.read_seqcount_retry(COUNT):
            return seen


async def write(k: Kernel) -> None:
    await k.write_seqcount_begin(COUNT)
    await k.write_once(LEFT, 1)
    await k.write_once(RIGHT, 1)
    await k.write_seqcount_end(COUNT)


def test_nobody_sees_one_word_before_and_the_other_after() -> None:
    made = scene()

    def make() -> Machine:
        return made.machine(a=look, b=look, w=write)

    again = False
    for machine, schedule in every_ending(make):
        assert not unfinished(machine), schedule
        assert made.results["a"] in {(0, 0), (1, 1)}, schedule
        assert machine.state(COUNT) == SeqCount()
        again |= any(e.sentence.endswith("sees count moved") for e in machine.events)
    assert again
