"""The course is right, and each kind of mistake in a lesson is named with file and line."""

from pathlib import Path

import pytest

from tests.course.pages import line_of, page
from uffdviz.course.catalog import pages
from uffdviz.course.lint import faults_of
from uffdviz.course.new import TEMPLATE


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_a_lesson_of_the_course_is_right(path: Path) -> None:
    assert faults_of(path) == []


def test_the_page_for_these_tests_is_right(tmp_path: Path) -> None:
    assert faults_of(page(tmp_path)) == []


def test_what_a_new_lesson_begins_as_is_right(tmp_path: Path) -> None:
    path = tmp_path / "10-new.md"
    path.write_text(TEMPLATE, encoding="utf-8")
    assert faults_of(path) == []


GOAL, FIX, PROVE = 'kind = "break"', 'kind = "fix"', 'kind = "prove"'


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("10-page.md", "10-pag.md", "See [", "link to '10-pag.md', which is not there"),
        ("say = [", "# say = [", "+++", "no say"),
        ("gc returns 4096\n```", "gc returns 4095\n```", "gc returns 4096", "it returned 4096"),
        (
            'fact = "gc returns 4096"',
            'fact = "gc sleeps"',
            "```predict",
            "it is done, it returned 4096",
        ),
        ('fact = "gc returns 4096"', 'fact = "ui holds mmap_lock"', "```predict", "is so already"),
        ("at_most = 0", "at_least = 1", "```totals", "is not so: it is 0"),
        ("switches = 1", "switches = 2", GOAL, "switches = 2, and the fewest are 1: app x"),
        (
            'gc waits for mmap_lock to read"',
            'gc sleeps"',
            GOAL,
            "no interleaving reaches 'gc sleeps'",
        ),
        ("app enters vma_start_write", "ui done", GOAL, "can be reached without it"),
        (
            "app enters vma_start_write",
            "app enters vma_start_wite",
            GOAL,
            "did you mean 'vma_start_write'?",
        ),
        (
            "gc until waits for mmap_lock to read\n'",
            "gc x1\n'",
            GOAL,
            "the solution does not reach",
        ),
        (
            "answer = 2\nchoices = [ {",
            "answer = 1\nchoices = [ {",
            FIX,
            "answer = 1, yet choice 1 breaks: deadlock",
        ),
        ('hints = ["Everywhere."]', "hints = []", PROVE, "no hint"),
        (
            'hints = ["Everywhere."]',
            'era = "series-v4"\nscenario = "move-meets-mprotect"\nhints = [""]',
            PROVE,
            "violated, not holds: deadlock",
        ),
        (
            'property = ["L1"]\n```\n\n```check',
            'property = ["L7"]\n```\n\n```check',
            PROVE,
            "no property 'L7'",
        ),
        ('verdict = "violated"', 'verdict = "holds"', "```check", "violated, not holds: deadlock"),
        ('finds = ["L1"]', 'finds = ["S5"]', "```check", "not S5"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, at: str, says: str
) -> None:
    found = faults_of(page(tmp_path, old, new))
    line = line_of(at) - (at.startswith("kind"))
    assert any(fault.startswith(f"10-page.md:{line}: ") and says in fault for fault in found), found


def test_a_lesson_that_is_the_same_under_every_kernel_is_about_nothing(tmp_path: Path) -> None:
    path = tmp_path / "10-page.md"
    path.write_text(
        '+++\ntitle = "T"\nscenario = "copy"\nera = "v6.9"\nsay = ["x"]\n+++\nWords.\n'
        '```predict\nask = "?"\nchoices = ["a", "b"]\nanswer = 1\nwhy = "w"\nfact = "gc done"\n```\n'
        "```play\ngc until done\n```\n```expect\ngc returns 8192\n```\n"
        '```goal\nkind = "break"\nreach = "gc done"\nhints = ["Go."]\n```\n'
    )
    assert faults_of(path) == [
        "10-page.md:1: nothing that this lesson states is different under any other era"
    ]
