"""Proving that a lesson is right: it plays, its goals can be reached, and its hints are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from uffdviz.check.properties import pick
from uffdviz.course import goals
from uffdviz.course.facts import VIOLATES, holds, read_fact
from uffdviz.course.goals import Setup, par
from uffdviz.course.load import load_lesson
from uffdviz.course.player import Playback, check_words
from uffdviz.course.reach import can_reach, turns
from uffdviz.course.schema import Check, Expect, Goal, Hint, Lesson, Play, Predict, Prose, Totals
from uffdviz.errors import LessonError, UffdvizError
from uffdviz.kernel.eras.registry import eras
from uffdviz.light import msgspec
from uffdviz.run.interleaving import Interleaving
from uffdviz.trace.speak import counting

LINK: Final = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong with a lesson."""

    line: int
    text: str


def faults_of(path: Path) -> list[str]:
    """What is wrong with a lesson, a line each; nothing if it is fine."""
    try:
        lesson = load_lesson(path)
        return [f"{path.name}:{fault.line}: {fault.text}" for fault in sorted(set(faults(lesson)))]
    except UffdvizError as error:
        return [str(error)]


def faults(lesson: Lesson) -> Iterator[Fault]:
    """Everything that is wrong with a lesson that can be read.

    Raises: UffdvizError where it cannot be set up.
    """
    yield from about_links(lesson)
    yield from about_shape(lesson)
    playback = Playback(lesson)
    check_words(lesson, playback.setting)
    yield from about_predictions(lesson)
    yield from (Fault(one.line, one.text) for one in playback if not one.ok)
    for block in lesson.blocks:
        if isinstance(block, Goal):
            yield from about_goal(playback.setup, block)
    if not playback.failures and not differs(lesson):
        yield Fault(1, "nothing that this lesson states is different under any other era")


def about_links(lesson: Lesson) -> Iterator[Fault]:
    """See that every link to another page leads somewhere."""
    folder = Path(lesson.path).parent
    for block in lesson.blocks:
        if not isinstance(block, Prose):
            continue
        for number, line in enumerate(block.text.splitlines(), block.line):
            for target in LINK.findall(line):
                if ":" not in target and not (folder / target).exists():
                    yield Fault(
                        number, f"link to {target!r}, which is not there{near(folder, target)}"
                    )


def near(folder: Path, target: str) -> str:
    """The file that a dead link probably means."""
    from uffdviz.errors import near_miss

    there = (folder / target).parent
    known = [path.name for path in there.glob("*.md")] if there.is_dir() else []
    return near_miss(Path(target).name, known)


def about_shape(lesson: Lesson) -> Iterator[Fault]:
    """See that a lesson asks something, states something, and ends with what one can say."""
    for kind, name in ((Predict, "predict"), (Expect, "expect"), (Goal, "goal"), (Prose, "prose")):
        if not any(isinstance(block, kind) for block in lesson.blocks):
            yield Fault(1, f"no {name} in this lesson")
    if not lesson.front.say:
        yield Fault(1, "no say: what one should be able to say afterwards")


def about_predictions(lesson: Lesson) -> Iterator[Fault]:
    """See that each prediction is about something that is not so yet, and that a play follows."""
    run = Interleaving(Setup(lesson).setting())
    asked: list[Predict] = []
    for block in lesson.blocks:
        if isinstance(block, Predict):
            asked.append(block)
            if holds(read_fact(block.fact, Setup(lesson).setting()), run):
                yield Fault(block.line, f"predict: {block.fact!r} is so already before the play")
        if isinstance(block, Play):
            asked.clear()
            try:
                run.play(block.schedule)
            except UffdvizError:
                return
    for block in asked:
        yield Fault(block.line, "predict: no play block comes after it")


def about_goal(setup: Setup, goal: Goal) -> Iterator[Fault]:
    """See that a goal's names, hints and par are right; that it is solved is seen by playing it."""
    try:
        _ = pick(goal.property)
        if goal.kind == "break":
            yield from about_break(setup, goal)
        if not goal.hints:
            yield Fault(goal.line, "goal: no hint; write one to three, the rest is the search's")
        for hint in goal.hints:
            if isinstance(hint, Hint) and hint.fact:
                yield from about_hint(setup, goal, hint)
            elif not (hint.text if isinstance(hint, Hint) else hint).strip():
                yield Fault(goal.line, "goal: an empty hint")
    except UffdvizError as error:
        yield Fault(goal.line, f"goal: {error}")


def about_break(setup: Setup, goal: Goal) -> Iterator[Fault]:
    """See that what is to be reached can be, and that the solution takes as long as it says."""
    if not goal.reach:
        yield Fault(goal.line, f"goal: no reach; 'TASK LANDMARK', 'deadlock' or '{VIOLATES} ID'")
        return
    way = par(setup, goal)
    if way is None:
        if can_reach(setup.of(goal), goal.reach) is False:
            yield Fault(goal.line, f"goal: no interleaving reaches {goal.reach!r}")
        return
    if goal.switches is not None and goal.switches != way.switches:
        text = f"goal: switches = {goal.switches}, and the fewest are {way.switches}: "
        yield Fault(goal.line, text + "; ".join(way.schedule))
    if goal.solution and goal.switches is not None:
        run = Interleaving(setup.of(goal))
        run.play(goal.solution)
        if turns(run.choices) != goal.switches:
            count = counting(turns(run.choices), "switch")
            yield Fault(goal.line, f"goal: the solution takes {count}, not {goal.switches}")


def about_hint(setup: Setup, goal: Goal, hint: Hint) -> Iterator[Fault]:
    """See that a hint is true wherever it can be shown.

    To a `break` there must be no way without the fact: then it is true at any time that one has to
    come by it. In the others the fact must be possible.
    """
    setting = setup.of(goal)
    if goal.kind == "break":
        around = can_reach(setting, goal.reach, without=hint.fact)
        if around:
            text = f"goal: a hint says {hint.fact!r}, and {goal.reach!r} can be reached without it"
            yield Fault(goal.line, text)
        if around is None:
            yield Fault(goal.line, f"goal: whether {hint.fact!r} is needed is too large to search")
    elif not can_reach(setting, hint.fact):
        yield Fault(goal.line, f"goal: a hint says {hint.fact!r}, which can never be")


def differs(lesson: Lesson) -> bool:
    """Whether some stated fact of a lesson is false under another era."""
    if compares(lesson):
        return True
    for era in eras():
        if era == lesson.front.era:
            continue
        playback = Playback(lesson, era, judge=False)
        try:
            if any(not one.ok for one in playback):
                return True
        except LessonError:
            return True
    return judged_otherwise(lesson)


def compares(lesson: Lesson) -> bool:
    """Whether the page itself states both verdicts, or offers a choice that breaks."""
    verdicts = {block.verdict for block in lesson.blocks if isinstance(block, Check)}
    fixes = any(isinstance(b, Goal) and b.kind == "fix" for b in lesson.blocks)
    ratios = any(f.ratio for b in lesson.blocks if isinstance(b, Totals) for f in b.figures)
    return len(verdicts) > 1 or fixes or ratios


def judged_otherwise(lesson: Lesson) -> bool:
    """Whether the search judges a goal or a check otherwise under another era."""
    others = [Setup(lesson, era) for era in eras() if era != lesson.front.era]
    blocks = [block for block in lesson.blocks if isinstance(block, Goal | Check) and not block.era]
    return any(refuted(setup, block) for setup in others for block in blocks)


def refuted(setup: Setup, block: Goal | Check) -> bool:
    """Whether what a goal or a check claims fails."""
    if isinstance(block, Check):
        return goals.checked(setup, block)[0] == "failure"
    return any(kind == "failure" for kind, _ in goals.solved(setup, block))
