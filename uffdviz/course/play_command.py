"""`uffdviz play --headless`: a lesson as a text that can be read by itself."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from uffdviz.course.catalog import row
from uffdviz.course.narrate import wrapped
from uffdviz.course.player import Playback, Told, check_words
from uffdviz.course.schema import Lesson
from uffdviz.course.shelf import chapter_title, find_lesson
from uffdviz.light import msgspec

Answer = tuple[int, Iterable[str]]
FINE, FOUND = 0, 1
AS_IT_IS: Final = {"shown": "    ", "schedule": "$ "}
MARKS: Final = {
    "event": "  ",
    "step": "  {line}. ",
    "state": "  > ",
    "expect": "  ok: ",
    "totals": "  ok: ",
    "check": "  ok: ",
}
MARK: Final = re.compile(r"\*\*([^*]+)\*\*|(?<!\w)[*_]([^*_]+)[*_](?!\w)|\[([^\]]+)\]\([^)]*\)")


def play_headless(name: str, *, plain: bool, json: bool) -> Answer:
    """Play a lesson's script without a screen.

    Raises: LessonError if the lesson cannot be read.
    """
    lesson = find_lesson(name)
    playback = Playback(lesson)
    check_words(lesson, playback.setting)
    told = list(playback)
    status = FOUND if playback.failures else FINE
    if json:
        document = as_json(lesson, told, playback.failures)
        return status, [msgspec.json.format(msgspec.json.encode(document), indent=2).decode()]
    return status, text(lesson, told, plain=plain)


def as_json(lesson: Lesson, told: list[Told], failures: list[Told]) -> dict[str, Any]:
    """All that a playing has to say, as one document."""
    return {
        **row(lesson),
        "ok": not failures,
        "failures": [{"line": one.line, "text": one.text} for one in failures],
        "told": [msgspec.to_builtins(one) for one in told],
        "say": list(lesson.front.say),
    }


def text(lesson: Lesson, told: Iterable[Told], *, plain: bool) -> Iterator[str]:
    """The narration as lines."""
    front = lesson.front
    yield f"{chapter_title(lesson.chapter)}: {lesson.title}"
    yield f"{front.scenario}, {front.era}, {front.minutes} minutes"
    hidden = {"event"} if plain else {"step"}
    before = ""
    for one in told:
        if one.kind in hidden:
            continue
        if one.kind != before or one.kind in {"prose", "predict", "goal"}:
            yield ""
        before = one.kind
        yield from said(one, lesson)
    if front.say:
        yield ""
        yield "What you can say now:"
        for sentence in front.say:
            yield from wrapped(sentence, "- ")


def said(one: Told, lesson: Lesson) -> Iterator[str]:
    """One thing that was told, as lines."""
    if one.kind == "prose":
        yield from prose(one.text)
    elif one.kind in AS_IT_IS:
        mark = AS_IT_IS[one.kind]
        yield from (f"{mark}{line}".rstrip() for line in one.text.splitlines())
    elif one.kind in MARKS:
        yield from wrapped(one.text, MARKS[one.kind].format(line=one.line))
    elif one.kind == "failure":
        yield f"FAILED {Path(lesson.path).name}:{one.line}: {one.text}"
    else:
        yield from marked(one)


def marked(one: Told) -> Iterator[str]:
    """A question, a goal or an answer."""
    mark = {"predict": "? ", "goal": "! ", "answer": "= "}.get(one.kind, "")
    for number, line in enumerate(paragraphs(one.text)):
        indent = " " * (len(line) - len(line.lstrip()))
        yield from wrapped(line.strip(), mark + indent if not number else f"  {indent}")


def paragraphs(text: str) -> Iterator[str]:
    """Join lines that were broken in the file; an indented line, or a numbered one, stays alone."""
    words: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") or line[:1].isdigit():
            yield from [" ".join(words)] if words else []
            words = []
            yield line
        else:
            words.append(line.strip())
    if words:
        yield " ".join(words)


def prose(markdown: str) -> Iterator[str]:
    """Markdown without its marks, paragraph by paragraph."""
    for number, block in enumerate(re.split(r"\n\s*\n", markdown.strip())):
        if number:
            yield ""
        bare = MARK.sub(lambda m: m[1] or m[2] or m[3], block)
        if bare.startswith(("|", "- ", "* ", "#", "1. ")):
            yield from bare.splitlines()
        else:
            yield from wrapped(" ".join(bare.split()))
