"""Every screen and every panel as text, at the three sizes; and the same without colour."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.screen import LARGE, MEDIUM, SMALL, Size
from tests.tui.tour import Pictures, real, small
from uffdviz.tui.screens.layout import PANELS

SIZES = pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE], ids=lambda s: f"{s[0]}x{s[1]}")


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def as_pages(pictures: Pictures) -> str:
    return "\n".join(f"=== {name}\n{text}" for name, text in pictures.items())


@SIZES
def test_every_panel_and_everything_on_top_of_a_run(
    size: Size, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pictures = small(size)
    for panel in PANELS:
        assert panel.title() in pictures[f"{panel} enlarged"].splitlines()[0]
    assert as_pages(pictures) == snapshot
    if size == SMALL:  # without colour the words and signs say the same
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
        monkeypatch.setenv("NO_COLOR", "1")
        assert small(size) == pictures


@SIZES
def test_everything_that_is_asked_and_every_goal(size: Size, snapshot: SnapshotAssertion) -> None:
    assert as_pages(real(size)) == snapshot
