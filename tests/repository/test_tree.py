"""Rules about the files themselves."""

import re
import tomllib
from pathlib import Path

OURS = (".ci", "docs", "lessons", "tests", "uffdviz")
ONE_MACHINE = re.compile(rb"(?<![\w.~-])/(?:work|root|tmp|home|opt|Users)/")
UNFINISHED = re.compile(rb"\b(?:[T]ODO|[F]IXME)\b")


def files(root: Path) -> list[Path]:
    top = [path for path in root.iterdir() if path.is_file()]
    below = [path for folder in OURS for path in (root / folder).rglob("*") if path.is_file()]
    return sorted(path for path in top + below if "__pycache__" not in path.parts)


def matches(root: Path, pattern: re.Pattern[bytes]) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number}: {line.decode(errors='replace').strip()}"
        for path in files(root)
        if path.name != "uv.lock"
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_path_of_one_machine(root: Path) -> None:
    assert matches(root, ONE_MACHINE) == []


def test_nothing_is_left_for_later(root: Path) -> None:
    assert matches(root, UNFINISHED) == []


def test_the_lock_names_the_public_index_only(root: Path) -> None:
    lock = tomllib.loads((root / "uv.lock").read_text())
    sources = [package["source"] for package in lock["package"]]
    assert sources.count({"editable": "."}) == 1
    assert {"registry": "https://pypi.org/simple"} in sources
    assert all(s in ({"editable": "."}, {"registry": "https://pypi.org/simple"}) for s in sources)


def test_modules_stay_below_400_lines(root: Path) -> None:
    lines = {
        path: len(path.read_text().splitlines()) for path in files(root) if path.suffix == ".py"
    }
    assert {str(path.relative_to(root)): n for path, n in lines.items() if n >= 400} == {}


def test_inits_are_empty(root: Path) -> None:
    inits = [path for path in files(root) if path.name == "__init__.py"]
    assert [str(path.relative_to(root)) for path in inits if path.read_bytes()] == []


def test_msgspec_comes_from_where_it_is_light(root: Path) -> None:
    direct = re.compile(r"^\s*import msgspec\b", re.MULTILINE)
    modules = [path for path in files(root) if root / "uffdviz" in path.parents]
    found = [
        path.name for path in modules if path.suffix == ".py" and direct.search(path.read_text())
    ]
    assert found == ["light.py"]


def test_every_dependency_has_a_reason_in_the_design(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
        *(name for group in project["dependency-groups"].values() for name in group),
    ]
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in wanted}
    design = (root / "docs" / "design.md").read_text()
    assert sorted(name for name in names if f"`{name}`" not in design) == []
