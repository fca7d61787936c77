"""Every lesson plays as text; an expectation that fails is told with its line."""

from pathlib import Path

import msgspec
import pytest

from tests.course.pages import line_of, page
from uffdviz.course.catalog import pages, row
from uffdviz.course.load import load_lesson
from uffdviz.course.play_command import play_headless, prose
from uffdviz.course.player import Playback
from uffdviz.errors import LessonError


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_a_lesson_of_the_course_plays_to_its_end(path: Path) -> None:
    status, lines = play_headless(str(path), plain=False, json=False)
    text = "\n".join(lines)
    assert status == 0, text
    assert "FAILED" not in text
    assert "What you can say now:" in text


def test_the_telling_has_the_prose_the_deeds_and_the_answers(tmp_path: Path) -> None:
    _, lines = play_headless(str(page(tmp_path)), plain=False, json=False)
    text = "\n".join(lines)
    assert "The neighbour comes first. See the page itself." in text
    assert "ui calls mprotect heap 2 pages r and takes mmap_lock for writing." in text
    assert "sees mapping" not in text
    assert "= 2. No" in text
    assert "One way, with 1 switch:" in text


def test_plain_tells_every_step_in_a_sentence(tmp_path: Path) -> None:
    _, lines = play_headless(str(page(tmp_path)), plain=True, json=False)
    text = "\n".join(lines)
    assert "  2. ui holds mmap_lock for write." in text
    assert "gc sees mapping dst lock_seq -1." in text


def test_json_is_one_document(tmp_path: Path) -> None:
    _, lines = play_headless(str(page(tmp_path)), plain=False, json=True)
    document = msgspec.json.decode("\n".join(lines))
    assert document["ok"]
    assert {"prose", "predict", "expect", "goal"} <= {told["kind"] for told in document["told"]}


def test_an_expectation_that_fails_is_told_with_its_line_and_what_is_so(tmp_path: Path) -> None:
    path = page(tmp_path, "ui holds mmap_lock for write\ngc", "ui holds mmap_lock for read\ngc")
    status, lines = play_headless(str(path), plain=False, json=False)
    line = line_of("```expect") + 1
    failed = f"FAILED 10-page.md:{line}: expect: 'ui holds mmap_lock for read' does not hold: it holds mmap_lock for write"
    assert status == 1
    assert failed in list(lines)


def test_a_landmark_that_is_not_reached_ends_the_playing(tmp_path: Path) -> None:
    path = page(tmp_path, "gc until done", "gc until waits for mmap_lock to read")
    playback = Playback(load_lesson(path))
    told = [one for one in playback if not one.ok]
    assert [one.line for one in told] == [line_of("gc until done")]
    assert "did not reach 'waits for mmap_lock to read'" in told[0].text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("gc until done", "gd until done", "no task 'gd'; tasks are gc, app, ui"),
        ("gc until done", "gc until wait", "no landmark 'wait'"),
        ("gc returns 4096\n```", "gc retruns 4096\n```", "no landmark 'retruns 4096'"),
        ("ui holds mmap_lock for write\ngc", "ui holds mmap_lok\ngc", "no lock 'mmap_lok'"),
        ("copy-meets-mprotect", "copy-meets-mprotec", "did you mean 'copy-meets-mprotect'?"),
        ('era = "v6.9"', 'era = "v6.99"', "no era 'v6.99'"),
        ("answer = 2", "answer = 3", "predict: answer = 3, and there are 2 choices"),
        ("read acquisitions", "read aquisitions", "no figure 'mmap_lock read aquisitions'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    path = page(tmp_path, old, new)
    with pytest.raises(LessonError, match=r"10-page\.md: line \d+: ") as refused:
        _ = play_headless(str(path), plain=False, json=False)
    assert says in str(refused.value)


def test_a_row_of_the_list_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    keys = {"name", "title", "chapter", "path", "scenario", "era"}
    assert keys <= row(load_lesson(page(tmp_path))).keys()


def test_prose_loses_its_marks_and_keeps_its_lists() -> None:
    text = "Some **bold** and *soft* words, a [link](x.md) and `code`.\n\n- one\n- two"
    assert list(prose(text)) == [
        "Some bold and soft words, a link and `code`.",
        "",
        "- one",
        "- two",
    ]
