"""The theme and the panel in front are remembered."""

from pathlib import Path

import pytest

from tests.tui.screen import SMALL, Shown, screen_after, show
from tests.tui.settings import session
from uffdviz.tui.remember import FILE, remember, remembered


def test_a_choice_is_kept_beside_the_others() -> None:
    remember("theme", "light")
    remember("panel", "totals")
    assert remembered() == {"theme": "light", "panel": "totals"}


def test_the_panel_in_front_is_there_again() -> None:
    assert "[Memory]" in screen_after(["t"], session(), SMALL)
    assert "[Memory]" in screen_after([], session(), SMALL)


def test_a_theme_is_worn_again() -> None:
    async def act(shown: Shown) -> None:
        shown.app.action_dress("light")

    show(act, session())
    assert show(act, session()).theme == "light"


def test_a_file_that_cannot_be_read_is_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "uffdviz").mkdir()
    _ = (tmp_path / "uffdviz" / FILE).write_text("theme = [")
    assert remembered() == {}
    assert "Tasks" in screen_after([], session())
