"""A lesson's page as plain lines, block by block."""

from collections.abc import Iterator

from uffdviz.course.figures import figure_words
from uffdviz.course.goals import asks
from uffdviz.course.play_command import prose
from uffdviz.course.schema import AnyBlock, Check, Expect, Goal, Play, Predict, Prose, Totals


def block_lines(block: AnyBlock) -> Iterator[str]:
    """Say one block."""
    match block:
        case Prose():
            yield from prose(block.text.replace("`", ""))
        case Play():
            words = "; ".join(line.strip() for line in block.schedule.strip().splitlines())
            yield f"Next (b plays it): {words}"
        case Predict():
            yield f"Question: {' '.join(block.ask.split())}"
            yield from (f"a {number}: {text}" for number, text in enumerate(block.choices, 1))
        case Goal():
            yield from goal_lines(block)
        case Expect():
            yield from (f"It is so: {fact}." for fact in block.facts)
        case Check():
            holds = block.verdict == "holds"
            verdict = "no order breaks it" if holds else "some order breaks it"
            yield f"Every interleaving was searched: {verdict}."
        case Totals():
            yield from (f"It is so: {figure_words(figure)}." for figure in block.figures)
        case _:
            yield from block.text.splitlines()


def goal_lines(goal: Goal) -> Iterator[str]:
    """Say what a goal asks for."""
    yield from asks(goal).splitlines()
    if goal.property:
        yield f"  what must hold: {', '.join(goal.property)}"


def answer_lines(block: Predict, chosen: int = 0) -> Iterator[str]:
    """Say the answer to a question, and whether it was the one that was chosen."""
    right = "Right. " if chosen == block.answer else "No. " if chosen else ""
    why = " ".join(block.why.split())
    yield f"{right}The answer is {block.answer}: {block.choices[block.answer - 1]}. {why}"
