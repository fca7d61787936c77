"""A lesson's page as far as it has been read."""

from collections.abc import Collection, Iterator, Mapping
from typing import assert_never

from uffdviz.course.schema import (
    AnyBlock,
    Check,
    Expect,
    Figure,
    Goal,
    Hint,
    Lesson,
    Play,
    Predict,
    Prose,
    Shown,
    Totals,
)
from uffdviz.course.trail import Trail
from uffdviz.tui.render.goal import end_lines, state_of_goal
from uffdviz.tui.render.line import Line, Span, flow, line, wrapped
from uffdviz.tui.render.prose import prose_lines


def page_lines(  # noqa: PLR0913, PLR0917  what a view says of a page
    lesson: Lesson,
    reached: int,
    answers: Mapping[int, int],
    hints: Mapping[int, int],
    width: int,
    trail: Trail | None = None,
    height: int = 0,
) -> tuple[list[Line], int]:
    """The blocks up to and with the play block that is next, `blocks[reached]`.

    `answers` and `hints` say, by block, which choice was made and how many hints were asked for,
    `trail` which goals were reached, `height` how many lines there is room for.
    Returns: the lines, and the one where the newest part begins.
    """
    lines: list[Line] = []
    top = 0
    for index, block in enumerate(lesson.blocks[: reached + 1]):
        past = index < reached
        if isinstance(block, Predict) and index in answers:
            top = len(lines) + _answered(block, answers[index], width, height)
        lines += block_lines(block, index, answers, hints, width, past=past)
        if trail is not None and isinstance(block, Goal):
            lines += state_of_goal(index, block.kind, trail)
        lines.append(line())
        if past and (isinstance(block, Play) or (trail is not None and index in trail.through)):
            top = len(lines)
    if reached < len(lesson.blocks):
        return lines, top
    if trail is not None:
        if not trail.left:
            top = len(lines)
        return lines + end_lines(lesson, trail, width), top
    lines.append(line(Span("The end of the lesson.", "good"), " Step on, or go back and try."))
    return lines, top


def next_predict(
    lesson: Lesson, reached: int, answers: Collection[int]
) -> tuple[int, Predict] | None:
    """The question that stands before `blocks[reached]` and has not been answered."""
    for index in range(min(reached, len(lesson.blocks)) - 1, -1, -1):
        block = lesson.blocks[index]
        if isinstance(block, Play):
            return None
        if isinstance(block, Predict):
            return None if index in answers else (index, block)
    return None


def block_lines(  # noqa: PLR0913  one case a block
    block: AnyBlock,
    index: int,
    answers: Mapping[int, int],
    hints: Mapping[int, int],
    width: int,
    *,
    past: bool,
) -> list[Line]:
    """One block of a page; `past`: it has been played."""
    match block:
        case Prose():
            return prose_lines(block.text, width)
        case Shown():
            return [line(Span(f"  {row}"[:width], "code")) for row in block.text.splitlines()]
        case Play():
            return _play(block, width, past=past)
        case Predict():
            return _predict(block, answers.get(index), width)
        case Goal():
            return _goal(block, hints.get(index, 0), width)
        case Expect() | Check() | Totals():
            return [
                row for fact in _facts(block) for row in wrapped(f"✓ {fact}", width, "good", "  ")
            ]
    assert_never(block)


def _facts(block: Expect | Check | Totals) -> Iterator[str]:
    """What a block states and the program has verified."""
    match block:
        case Expect():
            yield from block.facts
        case Check():
            era = f" under {block.era}" if block.era else ""
            word = "no order breaks it" if block.verdict == "holds" else "some order breaks it"
            yield f"every interleaving was searched{era}: {word}"
        case Totals():
            era = f" ({block.era})" if block.era else ""
            yield from (f"{figure_words(figure)}{era}" for figure in block.figures)
        case _:
            assert_never(block)


def _play(block: Play, width: int, *, past: bool) -> list[Line]:
    mark = "✓" if past else "▷"
    role = "dim" if past else "current"
    rows = [row.strip() for row in block.schedule.replace(";", "\n").splitlines()]
    lines = [row for text in rows if text for row in wrapped(f"{mark} {text}", width, role, "  ")]
    if not past:
        lines.append(line(Span("b", "key", "key:block"), Span(" plays this  ", "dim")))
    return lines


def _predict(block: Predict, chosen: int | None, width: int) -> list[Line]:
    lines = flow([Span("? ", "key"), Span(block.ask, "strong")], width, indent=2)
    for number, choice in enumerate(block.choices, 1):
        right = chosen is not None and number == block.answer
        mark = "✓" if right else "✗" if number == chosen else " "
        role = "good" if right else "bad" if number == chosen else ""
        lines += wrapped(f"{mark} {number} {choice}", width, role, "    ")
    if chosen is not None:
        lines += prose_lines(block.why, width)
    return lines


def _answered(block: Predict, chosen: int, width: int, height: int) -> int:
    """Where to begin with a question so that its reason is in sight."""
    rows, why = len(_predict(block, chosen, width)), len(prose_lines(block.why, width))
    return min(max(0, rows - height), rows - why) if height else 0


def _goal(block: Goal, shown: int, width: int) -> list[Line]:
    kind = {"break": "Break it", "fix": "Fix it", "prove": "Prove it"}[block.kind]
    words = block.text or (f"reach: {block.reach}" if block.reach else "")
    lines = flow([Span(f"{kind}: ", "changed"), Span(words, "strong")], width, indent=2)
    if block.text and block.reach:
        lines += wrapped(f"  to reach: {block.reach}", width, "dim", "  ")
    for number, choice in enumerate(block.choices, 1):
        lines += wrapped(f"  {number} {choice.text}", width, "", "    ")
    for hint in block.hints[:shown]:
        text = hint.text if isinstance(hint, Hint) else hint
        lines += wrapped(f"hint: {text}", width, "asleep", "  ")
    left = len(block.hints) - shown
    if left > 0:
        lines.append(line(Span("h", "key", "key:hint"), Span(f" a hint ({left} left)", "dim")))
    elif block.solution and shown > len(block.hints):
        lines += wrapped(f"one way: {block.solution.strip()}", width, "asleep", "  ")
    return lines


def figure_words(figure: Figure) -> str:
    """A figure with its range."""
    low = "" if figure.at_least is None else f"at least {figure.at_least:g}"
    high = "" if figure.at_most is None else f"at most {figure.at_most:g}"
    ratio = f" ({figure.ratio})" if figure.ratio else ""
    return f"{figure.of}{ratio}: {' and '.join(word for word in (low, high) if word)}"
