"""Whole screens as text, at the three sizes."""

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.screen import LARGE, MEDIUM, SMALL, Size, screen_after
from tests.tui.settings import lesson, session

SIZES = pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE], ids=lambda s: f"{s[0]}x{s[1]}")
FEW_ROWS = [(37, 9), (44, 14), (70, 16), (79, 21), (80, 22)]
STANDSTILL = ["1", "1", "2", "2", "1", "2"]


@SIZES
def test_the_start_screen(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after([], size=size) == snapshot


@SIZES
def test_a_run_at_its_start(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after([], session(), size) == snapshot


@SIZES
def test_a_standstill(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after(STANDSTILL, session(), size) == snapshot


@SIZES
def test_a_lesson_after_its_first_block(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after(["b"], lesson(), size) == snapshot


@SIZES
def test_a_question_before_its_block(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after(["b", "b"], lesson(), size) == snapshot


@SIZES
def test_many_tasks_and_locks(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after(list("1122334455667788"), session(9, 4), size) == snapshot


@pytest.mark.parametrize("size", FEW_ROWS, ids=lambda s: f"{s[0]}x{s[1]}")
def test_few_rows(size: Size, snapshot: SnapshotAssertion) -> None:
    assert screen_after(["b", "b", "escape"], lesson(), size) == snapshot


@pytest.mark.parametrize("panel", ["narration", "source", "timeline", "memory", "totals", "graph"])
def test_each_panel_of_the_small_deck(panel: str, snapshot: SnapshotAssertion) -> None:
    names = ["timeline", "memory", "totals", "graph", "narration", "source"]
    keys = [*STANDSTILL, *["t"] * names.index(panel)]
    text = screen_after(keys, session(), SMALL)
    assert f"[{panel.title()}]" in text
    assert text == snapshot


def test_help(snapshot: SnapshotAssertion) -> None:
    assert screen_after(["question_mark"], session()) == snapshot
