"""The pictures of the README show the program as it is; `python docs/pictures/draw.py` makes them."""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

STALE = "a picture is stale: run 'python docs/pictures/draw.py'"


@pytest.fixture(scope="module")
def drawn(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every picture made anew."""
    folder = tmp_path_factory.mktemp("pictures")
    script = root / "docs" / "pictures" / "draw.py"
    words = [sys.executable, str(script), str(folder)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def words_of(picture: Path) -> list[str]:
    """The text in a picture; how it is styled depends on the version of a library."""
    texts = re.findall(r"<text\b[^>]*>(.*?)</text>", picture.read_text(), re.DOTALL)
    return [html.unescape(text).replace("\xa0", " ").rstrip() for text in texts]


@pytest.mark.parametrize("name", ["start.svg", "standstill.svg"])
def test_a_picture_shows_what_the_screen_shows_now(name: str, drawn: Path, root: Path) -> None:
    assert words_of(root / "docs" / "pictures" / name) == words_of(drawn / name), STALE


def test_the_cast_shows_what_the_run_is_now(drawn: Path, root: Path) -> None:
    name = "standstill.cast"
    assert (root / "docs" / "pictures" / name).read_text() == (drawn / name).read_text(), STALE


def test_every_picture_is_made_by_the_script(drawn: Path, root: Path) -> None:
    made = {path.name for path in drawn.iterdir()}
    assert {path.name for path in (root / "docs" / "pictures").iterdir()} - {"__pycache__"} == {
        *made,
        "draw.py",
    }


def test_the_picture_at_the_top_shows_the_circle(drawn: Path) -> None:
    assert any(
        "A circle, nobody in it can move again" in t for t in words_of(drawn / "standstill.svg")
    )
