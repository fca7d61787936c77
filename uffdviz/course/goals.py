"""Goals, judged by the search: is it reached, which choice is right, and does it hold."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from uffdviz.check.properties import pick, rules
from uffdviz.course.facts import VIOLATES, holds, read_fact
from uffdviz.course.reach import Way, easiest, turns
from uffdviz.course.schema import Check, Choice, Goal, Hint, Lesson
from uffdviz.errors import UffdvizError
from uffdviz.light import msgspec
from uffdviz.run.check_command import reported
from uffdviz.run.explore import Limits, Tick
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.verdict import judge
from uffdviz.trace.speak import counting

LIMITS = Limits(max_states=400_000)
Question = tuple[str, str, tuple[str, ...], tuple[str, ...]]
KNOWN: Final[dict[Question, dict[str, Any]]] = {}
"""What searches have found; an answer never changes."""
TIERS = 3
KINDS = {"break": "Break it", "fix": "Fix it", "prove": "Prove it"}


class Setup:
    """What a lesson sets up, unless a block says otherwise; `era` stands in for the lesson's.

    The lesson's mistakes belong to its own era: a block that names an era names its mistakes too.
    """

    def __init__(self, lesson: Lesson, era: str = "") -> None:
        self.lesson = lesson
        self.era = era or lesson.front.era

    def scenario(self, name: str) -> str:
        """Which scenario a block means: a file beside the page, or as on the command line."""
        name = name or self.lesson.front.scenario
        beside = Path(self.lesson.path).parent / name
        return str(beside) if name.endswith(".toml") and beside.is_file() else name

    def mistakes(self, era: str, mutate: tuple[str, ...]) -> tuple[str, ...]:
        """The mistakes that a block is about."""
        own = not era and self.era == self.lesson.front.era
        return mutate or (self.lesson.front.mutate if own else ())

    def setting(self, scenario: str = "", era: str = "", mutate: tuple[str, ...] = ()) -> Setting:
        """Set up what a block plays or checks."""
        name = self.scenario(scenario)
        return load(name, era or self.era, self.mistakes(era, mutate))

    def of(self, goal: Goal) -> Setting:
        """Set up what a goal is about."""
        return self.setting(goal.scenario, goal.era, goal.mutate)

    def verdict(
        self,
        scenario: str,
        era: str,
        mutate: tuple[str, ...],
        property: tuple[str, ...],  # noqa: A002
        tick: Tick | None = None,
    ) -> dict[str, Any]:
        """Let the search judge, by the keys of `check --json`."""
        name = self.scenario(scenario)
        mistakes = self.mistakes(era, mutate)
        return searched((name, era or self.era, mistakes, pick(property)), tick)


def load(scenario: str, era: str, mutate: tuple[str, ...]) -> Setting:
    """Set up a scenario under an era, with mistakes in it."""
    return load_setting(scenario, era, mutate)


def searched(question: Question, tick: Tick | None = None) -> dict[str, Any]:
    """Search every interleaving. Returns: what is found, by the keys of `check --json`."""
    if question not in KNOWN:
        scenario, era, mutate, idents = question
        setting = load(scenario, era, mutate)
        limits = Limits(LIMITS.max_states, tick)
        verdict = judge(space_of(setting, rules(idents)), setting.machine, limits)
        report = reported(setting, idents, verdict, 0)
        if report["verdict"] == "unfinished":
            return report
        KNOWN[question] = report
    return KNOWN[question]


def asks(goal: Goal) -> str:
    """What a goal asks for, with its choices."""
    lines = [f"{KINDS[goal.kind]}: {goal.text.strip() or goal.reach}"]
    if goal.kind == "break":
        lines.append(f"  to reach: {goal.reach}")
    lines += [f"  {number}. {choice.text}" for number, choice in enumerate(goal.choices, 1)]
    return "\n".join(lines)


def solved(setup: Setup, goal: Goal) -> Iterator[tuple[str, str]]:
    """Solve a goal as its page says, and let the search judge that. Gives: kinds and texts."""
    solve = {"break": _broken, "fix": _fixed, "prove": _proved}[goal.kind]
    try:
        yield from solve(setup, goal)
    except UffdvizError as error:
        yield "failure", f"goal: {error}"
    if goal.why:
        yield "answer", goal.why.strip()


def _broken(setup: Setup, goal: Goal) -> Iterator[tuple[str, str]]:
    setting = setup.of(goal)
    if goal.solution:
        run = Interleaving(setting)
        run.play(goal.solution)
        if not reaches(goal.reach, setting, run):
            yield "failure", f"goal: the solution does not reach {goal.reach!r}"
            return
        count = turns(run.choices)
        yield "answer", f"One way, with {counting(count, 'switch')}:\n{indented(goal.solution)}"
        return
    way = easiest(setting, goal.reach)
    if way is None:
        yield "failure", f"goal: {goal.reach!r} cannot be reached"
    else:
        yield (
            "answer",
            f"The search's way, with {counting(way.switches, 'switch')}:\n{way_text(way)}",
        )


def reaches(reach: str, setting: Setting, run: Interleaving) -> bool:
    """Whether a run has come to a goal; `violates` is judged by the search over just this run."""
    if reach.startswith(f"{VIOLATES} "):
        return breaks(reach.partition(" ")[2], setting, run.choices)
    return holds(read_fact(reach, setting), run)


def breaks(ident: str, setting: Setting, choices: Sequence[str]) -> bool:
    """Whether one run breaks a property."""
    space = space_of(setting, rules(pick((ident,))))
    pending = {name: list(one.before.choices) for name, one in space.automata.items()}
    state = space.start
    for choice in choices:
        task = choice.rpartition(" ")[2]
        if pending.get(task) and pending[task][0] == choice:
            _ = pending[task].pop(0)
            continue
        row, after = next((r, to) for r, to in space.moves(state) if r.actor.choice == choice)
        key = state & row.mask
        if any(found == ident for found, _ in row.bad.get(key, ())):
            return True
        pending[task] = list(row.edges[key].private.choices)
        state = after
    from uffdviz.run.verdict import ending

    rule = next(rule for rule in space.properties if rule.ident == ident)
    return not space.moves(state) and ending(space, rule, state) is not None


def _fixed(setup: Setup, goal: Goal) -> Iterator[tuple[str, str]]:
    if not 1 <= goal.answer <= len(goal.choices):
        text = f"goal: answer = {goal.answer}, and there are {len(goal.choices)} choices"
        yield "failure", text
        return
    for number, choice in enumerate(goal.choices, 1):
        report = judged(setup, goal, choice)
        right = report["verdict"] == "holds"
        if report["verdict"] == "unfinished":
            yield "failure", f"goal: choice {number} is too large to search"
        elif right != (number == goal.answer):
            what = "holds" if right else f"breaks: {first(report)}"
            yield "failure", f"goal: answer = {goal.answer}, yet choice {number} {what}"
        elif right:
            yield "answer", f"{number} is right: {counted(report)}"
        else:
            yield "answer", f"{number} is not: {first(report)}"


def judged(setup: Setup, goal: Goal, choice: Choice, tick: Tick | None = None) -> dict[str, Any]:
    """Let the search judge one of the offered ways."""
    era = choice.era or goal.era
    mutate = choice.mutate or goal.mutate
    return setup.verdict(goal.scenario, era, mutate, goal.property, tick)


def _proved(setup: Setup, goal: Goal) -> Iterator[tuple[str, str]]:
    report = setup.verdict(goal.scenario, goal.era, goal.mutate, goal.property)
    if report["verdict"] == "holds":
        yield "answer", f"Proved: {counted(report)}"
    else:
        yield "failure", f"goal: {report['verdict']}, not holds: {first(report)}"


def checked(setup: Setup, block: Check) -> tuple[str, str]:
    """Let the search judge what a check block says. Returns: kind and text."""
    try:
        report = setup.verdict(block.scenario, block.era, block.mutate, block.property)
    except UffdvizError as error:
        return "failure", f"check: {error}"
    if report["verdict"] != block.verdict:
        return "failure", f"check: {report['verdict']}, not {block.verdict}: {first(report)}"
    found = [finding["property"] for finding in report["findings"] if not finding["known_flaw"]]
    missing = [ident for ident in block.finds if ident not in found]
    if missing:
        return "failure", f"check: finds {', '.join(found)}, not {', '.join(missing)}"
    said = counted(report) if block.verdict == "holds" else first(report)
    return "check", f"The search, {report['era']}: {block.verdict}. {said}"


def counted(report: dict[str, Any]) -> str:
    """Say what a proof has looked at."""
    number = f"{report['states']:,}".replace(",", " ")
    return (
        f"every interleaving of {report['scenario']} under {report['era']}, {number} states, holds."
    )


def first(report: dict[str, Any]) -> str:
    """Say the first thing that a search found."""
    finding = next((one for one in report["findings"] if not one["known_flaw"]), None)
    if finding is None:
        return counted(report) if report["verdict"] == "holds" else "no finding"
    return f"{finding['text']} ({finding['property']}, {counting(finding['switches'], 'switch')})"


def par(setup: Setup, goal: Goal) -> Way | None:
    """Find the easiest solution of a `break`; None if there is none."""
    return easiest(setup.of(goal), goal.reach)


def tiers(setup: Setup, goal: Goal) -> tuple[Hint, ...]:
    """All hints of a goal; where the page gives fewer than three, the last is the search's."""
    hints = tuple(hint if isinstance(hint, Hint) else Hint(hint) for hint in goal.hints)
    if len(hints) >= TIERS:
        return hints
    return (*hints, Hint(advice(setup, goal)))


def advice(setup: Setup, goal: Goal, taken: Sequence[str] = ()) -> str:
    """Say, from where a learner stands, what leads to the goal; by the search."""
    if goal.kind == "fix" and goal.answer:
        wrong = next(n for n in range(1, len(goal.choices) + 1) if n != goal.answer)
        report = judged(setup, goal, goal.choices[wrong - 1])
        return f"not {wrong}: {first(report)}"
    if goal.kind == "prove":
        return "try to break it: the search has been everywhere, and finds nothing"
    way = easiest(setup.of(goal), goal.reach, taken)
    if way is None:
        return "from here there is no way to it any more: go back"
    more = way.switches - turns(taken)
    return f"from here it takes {counting(more, 'switch')} more: {'; '.join(way.schedule)}"


def way_text(way: Way) -> str:
    """The easiest way as indented lines."""
    return indented("\n".join(way.schedule))


def indented(text: str) -> str:
    """Set a schedule off."""
    return "\n".join(f"    {line.strip()}" for line in text.strip().splitlines())


class Solved(msgspec.Struct, frozen=True):
    """What a learner's run is worth: whether it reached the goal, and how it compares."""

    reached: bool
    switches: int
    par: int | None


def score(setup: Setup, goal: Goal, choices: Sequence[str]) -> Solved:
    """Judge a learner's run of a `break` goal."""
    setting = setup.of(goal)
    run = Interleaving(setting)
    run.follow(list(choices))
    return Solved(reaches(goal.reach, setting, run), turns(choices), goal.switches)
