"""The way to a state that was seen can be walked, also where states stand for each other."""

from uffdviz.check.properties import pick, rules
from uffdviz.run.explore import Limits, explore
from uffdviz.run.search import space_of
from uffdviz.run.setting import load_setting
from uffdviz.run.verdict import way


def test_there_is_a_way_to_every_state_that_a_search_saw() -> None:
    setting = load_setting("two-faults-one-copy", "v6.18", ())
    space = space_of(setting, rules(pick(())))
    seen = explore(space, Limits(4000), reduce=True, swap=True)
    assert seen.least is not None
    for state in tuple(seen.parents):
        path, there = way(space, seen, state)
        assert there in space.symmetry.alike(state) if space.symmetry else False
        assert path or there == space.start
