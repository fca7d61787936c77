"""A goal while it is tried, its state on the page, and the end of a lesson."""

from collections.abc import Iterator
from typing import Final

from uffdviz.course.schema import Goal, Lesson
from uffdviz.course.trail import Trail
from uffdviz.tui.goals import Tried
from uffdviz.tui.render.line import Line, Span, flow, line, wrapped
from uffdviz.tui.render.prose import prose_lines

KINDS: Final = {"break": "Break it", "fix": "Fix it", "prove": "Prove it"}
DOES: Final = {"break": "tries it", "fix": "chooses", "prove": "has it proved, or contests it"}
CLAIM: Final = "You say that this can be broken. Show the order: schedule the tasks until it is."


def asked(goal: Goal, width: int) -> list[Line]:
    """What a goal asks for, without its choices."""
    words = goal.text.strip() or f"reach: {goal.reach}"
    lines = flow([Span(f"{KINDS[goal.kind]}: ", "changed"), Span(words, "strong")], width, indent=2)
    if goal.text and goal.reach:
        lines += wrapped(f"  to reach: {goal.reach}", width, "dim", "  ")
    if goal.property:
        lines += wrapped(f"  what must hold: {', '.join(goal.property)}", width, "dim", "  ")
    return lines


def hint_lines(hints: tuple[str, ...], tiers: int, width: int) -> list[Line]:
    """The hints so far, and how many more there are."""
    lines = [
        row
        for number, hint in reversed([*enumerate(hints, 1)])  # the newest is looked for
        for row in wrapped(f"hint {number}: {hint}", width, "asleep", "  ")
    ]
    left = tiers - len(hints)
    words = f" a hint ({left} left)" if left > 0 else " asks again from where you stand"
    lines.append(line(Span("h", "key", "key:hint"), Span(words, "dim")))
    return lines


def tried_lines(tried: Tried, width: int) -> tuple[list[Line], int]:
    """The goal that this run is for. Returns: the lines, and the one where the newest begins."""
    goal = tried.goal
    lines = asked(goal, width)
    if tried.claim:
        lines += wrapped(CLAIM, width, "changed")
    lines += list(_par(tried, width))
    top = 0
    if tried.said:
        top = len(lines) if tried.right else 0
        mark, role = ("✓", "good") if tried.right else ("✗", "bad")
        lines += wrapped(f"{mark} {tried.said}", width, role, "  ")
    if tried.right:
        lines += wrapped(tried.easiest, width, "dim") if tried.easiest else []
        lines += prose_lines(goal.why, width) if goal.why else []
        lines.append(line(Span("enter", "key", "key:goal"), Span(" goes back to the page", "dim")))
        return lines, top
    if not tried.claim:
        top = len(lines) if tried.hints else 0
        lines += hint_lines(tried.hints, tried.tiers, width)
    keys = Span(" one step of a task   ", "dim"), Span("k", "key", "key:schedule")
    lines.append(line(Span("1-9", "key"), *keys, Span(" a schedule in words", "dim")))
    return lines, top


def _par(tried: Tried, width: int) -> Iterator[Line]:
    """The fewest switches that are needed, and the learner's own best."""
    words = []
    if tried.goal.switches is not None and not tried.claim:
        words.append(f"fewest switches: {tried.goal.switches}")
    if tried.best is not None:
        words.append(f"your best: {tried.best}")
    if words:
        yield from wrapped(f"  {'   '.join(words)}", width, "dim", "  ")


def state_of_goal(index: int, kind: str, trail: Trail) -> list[Line]:
    """Whether a goal on the page was reached, or the key that begins it."""
    if index not in trail.through:
        if any(other < index for other in trail.left):
            return []
        return [line(Span("enter", "key", "key:goal"), Span(f" {DOES[kind]}", "dim"))]
    best = trail.best.get(index)
    words = f"✓ through, your best: {best} switches" if best is not None else "✓ through"
    return [line(Span(words, "good"))]


def end_lines(lesson: Lesson, trail: Trail, width: int) -> list[Line]:
    """What stands below the page: what is still open, or what one can say now."""
    if trail.left:
        count = "1 goal is" if len(trail.left) == 1 else f"{len(trail.left)} goals are"
        return [
            line(Span("The end of the page. ", "strong"), Span(f"{count} still open.")),
            line(Span("enter", "key", "key:goal"), Span(" goes there", "dim")),
        ]
    done = Span("Done. ", "good")
    if trail.after:
        words = f" opens the next lesson: {trail.after}"
        lines = flow([done, Span("enter", "key", "key:goal"), Span(words)], width, indent=2)
    else:
        lines = [line(done, Span("That was the last lesson.", "strong"))]
    if lesson.front.say:
        lines.append(line(Span("What you can say now:", "strong")))
    for sentence in lesson.front.say:
        lines += prose_lines(f"- {sentence}", width)
    lines.append(line(Span("esc", "key", "key:home"), Span(" goes back to the course", "dim")))
    return lines
