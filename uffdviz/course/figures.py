"""Figures of the totals that a lesson states: as ranges, or as ratios between two eras."""

from functools import cache
from typing import Any, Final

from uffdviz.course.goals import Setup
from uffdviz.course.schema import Figure
from uffdviz.errors import LessonError, near_miss
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.setting import load_setting

KINDS: Final = ("acquisitions", "contentions", "wait", "hold")
FORMS: Final = (
    "'wall', 'LOCK read|write acquisitions|contentions|wait|hold' or 'TASK uninterruptible'"
)


def figure_fault(figure: Figure, era: str, run: Interleaving, setup: Setup) -> str:
    """Say why a figure is not as stated; nothing if it is.

    Raises: UffdvizError if it cannot be read.
    """
    if figure.ratio:
        one, _, other = figure.ratio.partition("/")
        scenario = setup.scenario("")
        above, below = (value(figure.of, finished(scenario, e.strip())) for e in (one, other))
        if not below:
            return f"{figure.of}: nothing under {other.strip()} to measure by"
        found = above / below
    else:
        sums = finished(setup.scenario(""), era) if era else run.totals
        found = value(figure.of, sums)
    low = figure.at_least is not None and found < figure.at_least
    high = figure.at_most is not None and found > figure.at_most
    return f"{figure_words(figure)} is not so: it is {found:g}" if low or high else ""


@cache
def finished(scenario: str, era: str) -> dict[str, Any]:
    """The totals of a scenario in timed order."""
    run = Interleaving(load_setting(scenario, era))
    run.finish()
    return run.totals


def value(of: str, sums: dict[str, Any]) -> float:
    """Look a figure up.

    Raises: LessonError with what would be right.
    """
    words = of.split()
    if words == ["wall"]:
        return float(sums["wall_ns"])
    if len(words) == 2 and words[1] == "uninterruptible":
        tasks = {**sums["tasks"], "all": sums["all"]}
        if words[0] not in tasks:
            msg = f"no task {words[0]!r}{near_miss(words[0], tasks)}"
            raise LessonError(msg)
        return float(sum(tasks[words[0]]["uninterruptible_ns"].values()))
    if len(words) >= 3 and words[-1] in KINDS and words[-2] in {"read", "write"}:
        return _of_lock(" ".join(words[:-2]), words[-2], words[-1], sums)
    msg = f"no figure {of!r}; figures are {FORMS}"
    raise LessonError(msg)


def _of_lock(lock: str, mode: str, kind: str, sums: dict[str, Any]) -> float:
    row = next((r for r in sums["locks"] if (r["lock"], r["mode"]) == (lock, mode)), None)
    if row is None:
        return 0.0
    if kind in {"wait", "hold"}:
        return float(row[f"{kind}_ns"]["total"])
    return float(row[kind])


def figure_words(figure: Figure) -> str:
    """A figure with its range."""
    low = "" if figure.at_least is None else f"at least {figure.at_least:g}"
    high = "" if figure.at_most is None else f"at most {figure.at_most:g}"
    if low and figure.at_least == figure.at_most:
        low, high = f"{figure.at_least:g}", ""
    ratio = f" ({figure.ratio})" if figure.ratio else ""
    return f"{figure.of}{ratio}: {' and '.join(word for word in (low, high) if word)}"
