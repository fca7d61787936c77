"""The lessons are found whichever way the package is installed."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest


def run_python(python: Path | str, *arguments: str, cwd: Path) -> str:
    """Run and give what was printed; fail with everything that was said."""
    done = subprocess.run(
        [python, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def install(hook: str, root: Path, tmp_path: Path) -> Path:
    """Build with one of the backend's hooks and install into an environment of its own."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    build = f"import sys; from hatchling.build import {hook}; print({hook}(sys.argv[1]))"
    wheel = wheels / run_python(sys.executable, "-c", build, str(wheels), cwd=root).splitlines()[-1]
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run_python(python, "-m", "pip", "install", "--no-deps", "--no-index", str(wheel), cwd=tmp_path)
    return python


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
def test_an_installed_package_finds_its_lessons_from_any_folder(
    hook: str, root: Path, tmp_path: Path
) -> None:
    python = install(hook, root, tmp_path)
    find = "from uffdviz.places import lessons_dir; print(lessons_dir())"
    found = Path(run_python(python, "-I", "-c", find, cwd=tmp_path))

    ours = root / "lessons"
    assert (found == ours) == (hook == "build_editable")
    assert found.is_relative_to(tmp_path) == (hook == "build_wheel")
    assert names_below(found) == names_below(ours)


def names_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
