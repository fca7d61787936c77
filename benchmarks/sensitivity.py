"""How much the headline hangs on each assumption: every one halved and doubled, one at a time.

    python -m benchmarks.sensitivity [PAGES] [JOBS]

It runs `android-compaction` with a heap of PAGES pages (1024 unless told), all else the same, and
prints the table that stands in docs/time.md. A cost that the run never asks for is left out.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import msgspec

from uffdviz.run.costs import shipped_costs
from uffdviz.run.lean import Lean
from uffdviz.run.measure import measured
from uffdviz.run.read_scenario import load_scenario
from uffdviz.run.scenario import Scenario
from uffdviz.run.setting import Setting

ERAS = ("v6.8", "v6.9")
WHOLE = 26624


class Asked(dict[str, int]):
    """A table of costs that remembers what it was asked for."""

    def __init__(self, table: dict[str, int]) -> None:
        super().__init__(table)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def smaller(pages: int) -> Scenario:
    """The scenario with a heap of so many pages."""
    scenario = load_scenario("android-compaction")
    replace = msgspec.structs.replace
    return replace(
        scenario,
        vma=tuple(replace(v, pages=pages) if v.pages == WHOLE else v for v in scenario.vma),
        cursor=tuple(replace(c, pages=pages) for c in scenario.cursor),
        task=tuple(replace(t, span=pages) if t.span == WHOLE else t for t in scenario.task),
    )


def walls(pages: int, cost: str, ns: int) -> tuple[int, int, int, int]:
    """Wall time under both eras, and uninterruptible sleep of who compacts or faults."""
    scenario = smaller(pages)
    if cost:
        scenario = msgspec.structs.replace(scenario, costs={**scenario.costs, cost: ns})
    found = []
    for era in ERAS:
        sums = measured(Setting(scenario, era))["totals"]
        movers = [row for name, row in sums["tasks"].items() if name.startswith(("gc.", "app."))]
        found += [sums["wall_ns"], sum(sum(r["uninterruptible_ns"].values()) for r in movers)]
    return found[0], found[2], found[1], found[3]


def asked(pages: int) -> list[str]:
    """The assumptions that a run of the scenario asks for."""
    names: set[str] = {"wake_latency", "context_switch", "time_slice", "spin_notice"}
    for era in ERAS:
        lean = Lean(Setting(smaller(pages), era))
        lean._costs = table = Asked(dict(lean._costs))
        lean.run(200_000)
        names |= table.names
    rows = shipped_costs()
    return [n for n, row in rows.items() if n in names and row.range[0] != row.range[1]]


def main() -> None:
    words = sys.argv[1:]
    pages = int(words[0]) if words else 1024
    jobs = int(words[1]) if len(words) > 1 else 2
    costs = shipped_costs()
    points = [("", 0)]
    points += [(n, ns) for n in asked(pages) for ns in (costs[n].ns // 2, costs[n].ns * 2)]
    print("| cost | ns | wall v6.8 ms | wall v6.9 ms | ratio | blocked v6.8 ms | blocked v6.9 ms |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(jobs) as pool:
        results = pool.map(walls, [pages] * len(points), *zip(*points, strict=True))
        for (name, ns), (old, new, before, after) in zip(points, results, strict=True):
            figures = f"{old / 1e6:.1f} | {new / 1e6:.1f} | {old / new:.1f}"
            blocked = f"{before / 1e6:.1f} | {after / 1e6:.1f}"
            print(f"| {name or 'as shipped'} | {ns or ''} | {figures} | {blocked} |", flush=True)


if __name__ == "__main__":
    main()
