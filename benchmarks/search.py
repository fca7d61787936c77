"""Verdicts on every shipped scenario of three tasks or more: states, seconds, memory.

    .venv/bin/python benchmarks/search.py            # prints the page
    .venv/bin/python benchmarks/search.py --write    # keeps it as docs/search.md

Every search is a process of its own, so that its memory can be told. Exit status 1 if fewer than
ten scenarios come to a verdict within a minute.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from uffdviz.check.known_flaws import is_known
from uffdviz.check.properties import pick, rules
from uffdviz.places import scenarios_dir
from uffdviz.run.explore import Limits
from uffdviz.run.search import space_of
from uffdviz.run.setting import load_setting
from uffdviz.run.verdict import judge

PAGE = Path(__file__).parents[1] / "docs" / "search.md"
WORKLOADS = ("android-compaction", "qemu-copy-writers", "qemu-copy-writers-2")
MINUTE = 60
TASKS = 3
WANTED = 10
INTRODUCTION = """# How long a verdict takes

Made by `.venv/bin/python benchmarks/search.py --write`: every shipped scenario of three tasks or more
but the workloads, under its own era, every property, every interleaving at full grain; pure Python, one
core of a shared machine. A search that meets 2 000 000 states or a minute ends *unfinished*.
Memory is what the process has more than one that only has loaded the scenario.

| scenario | era | tasks | verdict | states | seconds | µs a state | bytes a state |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def peak() -> int:
    """The most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def one(name: str) -> str:
    """Check one scenario. Returns: its row."""
    setting = load_setting(name)
    space = space_of(setting, rules(pick(())))
    before, begun = peak(), time.process_time()
    limits = Limits(2_000_000, lambda *_: time.process_time() - begun < MINUTE)
    verdict = judge(space, setting.machine, limits)
    seconds = time.process_time() - begun
    new = [f for f in verdict.findings if not is_known(setting.era_name, f.property, f.text)]
    said = "violated" if new else "holds" if verdict.finished else "unfinished"
    each = (peak() - before) / verdict.states
    return (
        f"| `{name}` | {setting.era_name} | {len(setting.lives)} | {said} | {verdict.states} "
        f"| {seconds:.2f} | {seconds / verdict.states * 1e6:.1f} | {each:.0f} |"
    )


def table() -> Iterator[str]:
    """A row for each scenario, made in a process of its own."""
    for path in sorted(scenarios_dir().glob("*.toml")):
        if path.stem in WORKLOADS or len(load_setting(path.stem).lives) < TASKS:
            continue
        command = [sys.executable, __file__, "--one", path.stem]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        yield done.stdout.strip()


def main() -> int:
    """Make the page. Returns: the exit status."""
    if "--one" in sys.argv:
        sys.stdout.write(f"{one(sys.argv[-1])}\n")
        return 0
    sys.stdout.write(INTRODUCTION)
    rows = []
    for row in table():
        rows.append(row)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
    if "--write" in sys.argv:
        PAGE.write_text(INTRODUCTION + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return int(sum("unfinished" not in row for row in rows) < WANTED)


if __name__ == "__main__":
    sys.exit(main())
