import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from uffdviz import places


def test_a_checkout_uses_its_own_lessons(root: Path) -> None:
    assert places.lessons_dir() == root / "lessons"
    assert places.scenarios_dir() == root / "lessons" / "scenarios"


@pytest.mark.parametrize(
    ("folder", "variable"),
    [
        (places.state_dir, "XDG_STATE_HOME"),
        (places.config_dir, "XDG_CONFIG_HOME"),
        (places.data_dir, "XDG_DATA_HOME"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="these variables are Linux's")
def test_a_person_s_folders_follow_the_system(
    folder: Callable[[], Path], variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    assert folder() == tmp_path / "uffdviz"


def test_platformdirs_is_imported_only_when_a_folder_is_asked_for() -> None:
    code = "import sys, uffdviz.places; sys.exit('platformdirs' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
