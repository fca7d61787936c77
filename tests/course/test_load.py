"""Lessons are read strictly, and refused in one line that says where and what would be right."""

from pathlib import Path

import pytest

from uffdviz.course.load import load_lesson
from uffdviz.course.schema import Expect, Goal, Play, Predict, Prose, Shown
from uffdviz.errors import LessonError

FRONT = '+++\ntitle = "T"\nscenario = "s"\nera = "v6.9"\n+++\n'
PAGE = (
    FRONT
    + """Some words.

```play
app until done
```
More words.
```expect
app done
```
```predict
ask = "What?"
choices = ["a", "b"]
answer = 2
why = "Because."
fact = "app done"
```
```goal
kind = "break"
reach = "gc returns -EAGAIN"
hints = ["Look.", { text = "Closer.", fact = "gc sleeps" }]
solution = "everyone until done"
```
```c
down_read(sem);
```
"""
)


def read(tmp_path: Path, text: str | bytes) -> str:
    """Read a page that must be refused. Returns: the one line that says why."""
    path = tmp_path / "10-page.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LessonError) as refused:
        load_lesson(path)
    return str(refused.value)


def test_a_page_becomes_its_blocks_in_order(tmp_path: Path) -> None:
    path = tmp_path / "1-chapter" / "10-page.md"
    path.parent.mkdir()
    path.write_text(PAGE)
    lesson = load_lesson(path)
    kinds = [type(block) for block in lesson.blocks]
    assert kinds == [Prose, Play, Prose, Expect, Predict, Goal, Shown]
    assert (lesson.name, lesson.chapter, lesson.title) == ("10-page", "1-chapter", "T")


def test_a_block_knows_the_line_where_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "10-page.md"
    path.write_text(PAGE)
    for block in load_lesson(path).blocks:
        begins = PAGE.splitlines()[block.line - 1]
        assert begins.startswith("```") != isinstance(block, Prose)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no front matter", "10-page.md: line 1: a lesson begins with a line '+++'"),
        ("+++\ntitle = 1", "10-page.md: line 1: no second line '+++' ends the front matter"),
        ("+++\ntitle\n+++\n", "front matter (line 1): "),
        (FRONT.replace("era", "eera"), "unknown key 'eera' (did you mean 'era'?)"),
        (FRONT + "```plai\n```\n", "line 6: unknown fence 'plai' (did you mean 'play'?)"),
        (FRONT + "```play\napp x1\n", "line 6: this fence is never closed"),
        (FRONT + "```expect\n```\n", "expect 1 (line 6): empty; one 'TASK LANDMARK' a line"),
        (
            FRONT + '```goal\nkind = "brake"\n```\n',
            "goal 1 (line 6): kind: unknown value 'brake' (did you mean 'break'?)",
        ),
        (FRONT + "```goal\nline = 3\n```\n", "goal 1 (line 6): unknown key 'line'"),
        (b"\xff\xfe\x00", "10-page.md: not UTF-8 text"),
        ("+++\na = " + "[" * 9000 + "\n+++\n", "front matter (line 1): "),
        ("x" * (2 << 20), "10-page.md: larger than 1 MiB, which no lesson is"),
    ],
)
def test_a_bad_page_is_refused_in_one_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    message = read(tmp_path, text)
    assert says in message
    assert "\n" not in message
