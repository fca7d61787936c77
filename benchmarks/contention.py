"""The model beside two real kernels under emulation: direction and rough size of what was measured.

    python -m benchmarks.contention [JOBS]

Measured: medians of runs on 6.1.192 and 6.12.117 under QEMU, 16384 pages, two virtual processors.
Model: `qemu-copy-writers` and `qemu-copy-writers-2` with `--costs qemu`, a quarter of the pages, times
four. A row is marked where the model's ratio of wall times is off by more than a factor of two.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from uffdviz.run.cost_files import cost_changes
from uffdviz.run.measure import Plan, measure

ERAS: Final = ("v6.1", "v6.12")
SCALE: Final = 4
MEASURED: Final = {
    # (collectors + mutators, writers): wall ms, blocked ms of who copies, average ioctl in µs; 6.1, 6.12
    (1, 0): ((509, 543), (0, 0), (31, 33)),
    (1, 1): ((924, 547), (369, 0), (59, 31)),
    (1, 2): ((1489, 648), (1237, 0), (104, 36)),
    (1, 4): ((4342, 755), (5624, 0.8), (333, 43)),
    (2, 0): ((276, 336), (0, 0), (31, 39)),
    (2, 1): ((673, 487), (948, 0), (87, 56)),
    (2, 2): ((935, 557), (1787, 0), (130, 63)),
    (2, 4): ((1757, 577), (4250, 0), (270, 66)),
}


def figures(run: dict[str, Any]) -> tuple[float, float]:
    """Wall time, and uninterruptible sleep of who copies, in ms of the whole measurement."""
    sums = run["totals"]
    rows = [r for name, r in sums["tasks"].items() if name.startswith(("gc", "mutator"))]
    blocked = sum(sum(row["uninterruptible_ns"].values()) for row in rows)
    return sums["wall_ns"] * SCALE / 1e6, blocked * SCALE / 1e6


def main() -> None:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    costs = cost_changes("qemu")
    plans = [
        Plan(f"qemu-copy-writers{'' if n == 1 else '-2'}", era, (), costs, {"writer": writers})
        for n, writers in MEASURED
        for era in ERAS
    ]
    print(
        "| GC + mut | W | wall ms measured 6.1 / 6.12 | ratio | model | ratio "
        "| blocked ms measured 6.1 / 6.12 | model | |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(jobs) as pool:
        runs = pool.map(measure, plans)
        for (n, writers), ((old, new), (before, after), _) in MEASURED.items():
            (wall_a, block_a), (wall_b, block_b) = figures(next(runs)), figures(next(runs))
            ratio, mine = old / new, wall_a / wall_b
            off = "off by more than 2" if not 0.5 <= mine / ratio <= 2 else ""
            print(
                f"| {n} + {n} | {writers} | {old} / {new} | {ratio:.2f} | {wall_a:.0f} / {wall_b:.0f} "
                f"| {mine:.2f} | {before} / {after} | {block_a:.0f} / {block_b:.1f} | {off} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
