"""What docs/adding.md tells to do is done, in a copy of the program, and what was added is used."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FENCE = re.compile(r"^(`{3,4})\w+\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
NEW = re.compile(r"# new file: (\S+)$")
LINE = re.compile(r"# (\S+), (below|above) `(.+)`$")
END = re.compile(r"# (\S+), at the end$")
CHANGE = re.compile(r"(?:#|/\*) (\S+): `(.+)` becomes `(.+)`")
Use = Callable[..., str]


def pieces(page: Path) -> Iterator[tuple[str, str]]:
    """Each piece of code on the page: where it goes, and what it is."""
    for _, text in FENCE.findall(page.read_text()):
        where, _, code = text.partition("\n")
        yield where, code


def add(where: str, code: str, folder: Path) -> None:
    """Do to a copy of the program what a piece of the page says."""
    if found := NEW.match(where):
        path = folder / found[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return
    if found := CHANGE.match(where):
        path, old, new = folder / found[1], found[2], found[3]
        assert old in path.read_text(), f"{found[1]} has no {old!r}"
        path.write_text(path.read_text().replace(old, new))
        return
    if found := END.match(where):
        path = folder / found[1]
        path.write_text(path.read_text() + code)
        return
    found = LINE.match(where)
    assert found, f"where does this go? {where}"
    path, side, anchor = folder / found[1], found[2], found[3]
    lines = path.read_text().splitlines(keepends=True)
    at = [n for n, line in enumerate(lines) if line.strip() == anchor]
    assert len(at) == 1, f"{found[1]} has {len(at)} lines {anchor!r}"
    lines.insert(at[0] + (side == "below"), code)
    path.write_text("".join(lines))


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program to which everything on the page was added."""
    folder = tmp_path_factory.mktemp("adding")
    unwanted = shutil.ignore_patterns("__pycache__", "__snapshots__")
    for name in ("uffdviz", "lessons", "tests"):
        shutil.copytree(root / name, folder / name, ignore=unwanted)
    for where, code in pieces(root / "docs" / "adding.md"):
        add(where, code, folder)
    return folder


@pytest.fixture(scope="module")
def use(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Use:
    """Run the copy: words of a command, or Python; what it remembers goes to a folder of its own."""
    home = str(tmp_path_factory.mktemp("home"))
    kept = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)

    def run(*words: str, status: int = 0) -> str:
        program = ("-c", *words) if "\n" in words[0] else ("-m", "uffdviz", *words)
        done = subprocess.run(
            [sys.executable, *program],
            cwd=copy,
            env={**os.environ, **kept},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


def test_a_lock_type_keeps_the_laws(use: Use) -> None:
    said = use("""
from tests.kernel.harness import every_ending, leftovers, scene, unfinished
from uffdviz.kernel.locks.bit_lock import BitLock
from uffdviz.kernel.steps import Obj

lock = Obj("bit_lock", "bit", BitLock())

async def job(k):
    await k.bit_spin_lock(lock)
    await k.bit_spin_unlock(lock)

orders = set()
for machine, schedule in every_ending(lambda: scene().machine(a=job, b=job, c=job)):
    assert not unfinished(machine) and not leftovers(machine), schedule
    orders.add("".join(e.task for e in machine.events if e.fact == "LockAcquired"))
print(*sorted(orders))
""")
    assert said.split() == ["abc", "acb", "bac", "bca", "cab", "cba"]


def test_an_era_is_found_by_its_name_and_run(use: Use) -> None:
    report = json.loads(use("run", "copy-meets-mprotect", "--era", "v6.10", "--json"))
    assert report["era"] == "v6.10"
    assert not report["deadlock"]


@pytest.mark.parametrize(
    "words",
    [
        ("--mutate", "hasty.py"),
        ("--mutate", "M99"),
        ("--era", "series-v8"),
    ],
    ids=["a file", "a record", "a posted revision"],
)
def test_the_search_finds_what_was_broken(words: tuple[str, ...], use: Use) -> None:
    search = ("check", "copy-meets-dontneed", "--property", "S4", "--json")
    report = json.loads(use(*search, *words, status=1))
    assert report["properties"] == {"S4": "violated"}


def test_a_mutation_is_ten_lines(root: Path) -> None:
    (code,) = [c for where, c in pieces(root / "docs" / "adding.md") if where.endswith("hasty.py")]
    assert len(code.splitlines()) <= 10


def test_an_operation_is_called_from_a_scenario(use: Use) -> None:
    said = use("run", "mincore-meets-mprotect")
    assert "calls mincore dst 2 pages" in said
    assert "mincore.c" in use("explain", "sys_mincore")


def test_a_scenario_is_linted_and_listed(use: Use) -> None:
    assert "no fault" in use("scenarios", "lint", "mincore-meets-mprotect")
    assert "mincore-meets-mprotect" in use("scenarios", "list")


def test_a_lesson_is_listed_linted_and_played(use: Use, copy: Path) -> None:
    use("lessons", "new", "90-what-happens")
    (copy / "90-what-happens.md").rename(copy / "lessons" / "1-faults" / "90-what-happens.md")
    assert "90-what-happens" in use("lessons", "list")
    assert "no fault" in use("lessons", "lint", "90-what-happens")
    assert use("play", "90-what-happens", "--headless")


def test_a_panel_is_drawn(use: Use) -> None:
    said = use("""
import asyncio
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp

async def main():
    shelf = CourseShelf()
    app = UffdvizApp(shelf, shelf.open_scenario("copy-meets-mprotect"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.screen.bring("holders")
        await pilot.press("2", "2", "2", "2")
        await pilot.pause()
        for number in range(3):
            print(app.screen.query_one("#holders").render_line(number).text)

asyncio.run(main())
""")
    assert "app holds 1" in said


def test_an_export_is_written(use: Use) -> None:
    use("run", "copy", "--record", "copy.jsonl")
    assert use("export", "copy.jsonl", "--to", "csv").startswith("1,")
