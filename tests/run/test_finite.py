"""A monitor that is turned away for ever comes back to where it was: no state may count its rounds."""

import pytest

from uffdviz.kernel.eras.registry import eras
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.setting import load_setting

ROUND = "app until sleeps; monitor until leaves userfaultfd_wake"


@pytest.mark.parametrize("era", list(eras()))
def test_a_round_that_changes_nothing_leaves_nothing_behind(era: str) -> None:
    run = Interleaving(load_setting("fault-meets-fork", era, ()))
    run.play("ui until sleeps")
    worlds = []
    for _ in range(3):
        run.play(ROUND)
        assert run.returns["monitor"][-1] == "-EAGAIN"
        worlds.append(dict(run.now.objects))
    assert worlds[0] == worlds[1] == worlds[2]
