"""The page about the screen names every key of the file that it shows, and every command."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.tui.screen import screen_after
from tests.tui.settings import session
from uffdviz.tui.keys import RUN
from uffdviz.tui.remember import IN_LAYOUT, KNOWN, PACES
from uffdviz.tui.themes import THEMES


def page(root: Path) -> str:
    return (root / "docs" / "screen.md").read_text()


def test_the_file_it_shows_is_one_that_can_be_read(root: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", page(root), re.DOTALL)
    assert found is not None
    table = tomllib.loads(found[1])
    small = table.pop("small")
    assert set(table) == set(KNOWN)
    assert set(small) == set(IN_LAYOUT)
    assert all(table[key] in known for key, known in KNOWN.items())
    assert all(f"{pace}" in found[1] for pace in PACES)
    assert all(theme.name in found[1] for theme in THEMES)


def test_every_command_that_can_have_another_key_is_named(root: Path) -> None:
    text = page(root)
    names = [key.name for key in RUN if key.name != "task"]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_now_has_as_many_lines_as_it_says(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = re.search(
        r"below (\d+) rows it is two lines without a border, below (\d+) one", page(root)
    )
    assert found is not None
    for rows, border, lines in (
        (int(found[1]), True, 2),
        (int(found[1]) - 1, False, 2),
        (int(found[2]), False, 2),
        (int(found[2]) - 1, False, 1),
    ):
        text = screen_after(["2", "2"], session(), (80, rows))
        assert ("─ Now" in text) == border
        assert "2  app " in text
        assert ("May go on" in text) == (lines == 2)
