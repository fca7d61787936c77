"""Check every seeded mistake in every era where it makes sense, and every era without any.

    .venv/bin/python benchmarks/mistakes.py            # prints the page
    .venv/bin/python benchmarks/mistakes.py --write    # keeps it as docs/mistakes.md

Exit status 1 if a mistake is missed, a harmless change is reported, or an unmodified era shows
anything but its known flaws.
"""

import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from uffdviz.check.known_flaws import KNOWN_FLAWS, is_known
from uffdviz.check.properties import pick, rules
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.mutations import Mistake, mistakes
from uffdviz.places import scenarios_dir
from uffdviz.run.explore import Limits
from uffdviz.run.search import space_of
from uffdviz.run.setting import load_setting
from uffdviz.run.verdict import Verdict, judge

PAGE = Path(__file__).parents[1] / "docs" / "mistakes.md"
TOO_LARGE = frozenset({"compaction", "copy-meets-two-dontneeds", "fault-meets-fork"})
"""Not for the table of whole kernels: more than a million states each."""
INTRODUCTION = """# Mistakes, and what `check` says about them

Made by `.venv/bin/python benchmarks/mistakes.py --write`. Every search is complete unless it says
*unfinished*. Seconds are those of one small machine.
"""


class Checked:
    """One check: what was found, and how long it took."""

    def __init__(self, scenario: str, era: str, mistake: str = "") -> None:
        begun = time.monotonic()
        setting = load_setting(scenario, era, (mistake,) if mistake else ())
        space = space_of(setting, rules(pick(())))
        limits = Limits(2_000_000, lambda *_: time.monotonic() - begun < 120)
        self.scenario = scenario
        self.era = era
        self.verdict: Verdict = judge(space, setting.machine, limits)
        self.seconds = time.monotonic() - begun

    @property
    def new(self) -> list[str]:
        """The findings that are no known flaw of the era."""
        return [
            f.property for f in self.verdict.findings if not is_known(self.era, f.property, f.text)
        ]

    @property
    def known(self) -> list[str]:
        """The known flaws that were seen."""
        return [f.property for f in self.verdict.findings if is_known(self.era, f.property, f.text)]


def main() -> int:
    """Make the page. Returns: the exit status."""
    wrong: list[str] = []
    lines: list[str] = []
    for line in chain((INTRODUCTION,), mistake_lines(wrong), era_lines(wrong)):
        lines.append(f"{line}\n")
        sys.stdout.write(lines[-1])
        sys.stdout.flush()
    if "--write" in sys.argv:
        PAGE.write_text("".join(lines), encoding="utf-8")
    sys.stderr.write("".join(f"wrong: {line}\n" for line in wrong))
    return 1 if wrong else 0


def mistake_lines(wrong: list[str]) -> Iterator[str]:
    """The table of the seeded mistakes, then that of the harmless changes."""
    for title, benign in (("Seeded mistakes", False), ("Changes that are harmless", True)):
        yield f"## {title}\n"
        yield "| id | what is changed | era | scenario | found | steps | states | seconds |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for mistake in mistakes().values():
            if mistake.benign == benign:
                yield from rows(mistake, wrong)
        yield ""


def rows(mistake: Mistake, wrong: list[str]) -> Iterator[str]:
    """A row an era."""
    for era in mistake.eras:
        checked = Checked(mistake.scenario, era, mistake.ident)
        found = sorted({*checked.new})
        old = not found and any(ident in mistake.fails for ident in checked.known)
        right = bool({*found} & {*mistake.fails}) if mistake.fails else not found
        if not (right or old) or (mistake.benign and not checked.verdict.finished):
            wrong.append(f"{mistake.ident} in {era}: {found}")
        said = " ".join(found) or (
            f"{checked.known[0]}: this kernel's own flaw" if old else "nothing"
        )
        first = next((f for f in checked.verdict.findings if f.property in mistake.fails), None)
        states = f"{checked.verdict.states}{'' if checked.verdict.finished else ' (unfinished)'}"
        steps = first.steps if first is not None else ""
        why = f" ({mistake.why})" if mistake.why else ""
        yield (
            f"| {mistake.ident} | {mistake.change}{why} | {era} | `{mistake.scenario}` | {said} | "
            f"{steps} | {states} | {checked.seconds:.2f} |"
        )


def era_lines(wrong: list[str]) -> Iterator[str]:
    """What every unmodified kernel shows in every shipped scenario."""
    yield "## Kernels as they are\n"
    yield "| era | scenarios | known flaws seen | anything else | unfinished | states | seconds |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    names = sorted(path.stem for path in scenarios_dir().glob("*.toml"))
    for era in eras():
        checks = [Checked(name, era) for name in names if name not in TOO_LARGE]
        known = sorted({f"{ident} in `{c.scenario}`" for c in checks for ident in c.known})
        new = sorted({f"{ident} in `{c.scenario}`" for c in checks for ident in c.new})
        if new and not era.startswith("series"):
            wrong.append(f"{era} shows {', '.join(new)}")
        yield (
            f"| {era} | {len(checks)} | {'; '.join(known)} | {'; '.join(new)} | "
            f"{'; '.join(f'`{c.scenario}`' for c in checks if not c.verdict.finished)} | "
            f"{sum(c.verdict.states for c in checks)} | {sum(c.seconds for c in checks):.1f} |"
        )
    seen = len(KNOWN_FLAWS)
    yield f"\nThe {seen} rows of the table of known flaws in [model.md](model.md) are shown one by one in the tests."


if __name__ == "__main__":
    sys.exit(main())
