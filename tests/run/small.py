"""The headline's workload, made small: the same tasks, fewer pages."""

import msgspec

from uffdviz.run.read_scenario import load_scenario
from uffdviz.run.scenario import Scenario
from uffdviz.run.setting import Setting

PAGES = 160


def small_scenario() -> Scenario:
    """`android-compaction` with a heap of a few pages."""
    scenario = load_scenario("android-compaction")
    cut = msgspec.structs.replace
    return cut(
        scenario,
        vma=tuple(cut(v, pages=PAGES) if v.name == "heap" else v for v in scenario.vma),
        cursor=tuple(cut(c, pages=PAGES) for c in scenario.cursor),
        task=tuple(cut(t, span=PAGES) if t.span else t for t in scenario.task),
    )


def small_android(era: str) -> Setting:
    """It, under an era."""
    return Setting(small_scenario(), era, name="small-android")
