"""`scenarios list`, `lint` and `new`. Each gives an exit status and the lines to print."""

import json as js
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cyclopts import App

from uffdviz.errors import ScenarioError, UffdvizError, UsageError
from uffdviz.run.read_scenario import find_scenario, load_scenario, shipped
from uffdviz.run.scenario import NAME
from uffdviz.run.sense import task_names
from uffdviz.run.setting import Setting, load_setting

Answer = tuple[int, Iterable[str]]
scenarios = App(name="scenarios", help="The shipped scenarios, and files of your own.")
ENDS: Final = 64
"""So many of a long list of repetitions are looked at from each end: addresses go by steps."""
STEM: Final = re.compile(NAME.replace("_.", "_.-"))
TEMPLATE: Final = """\
title = "UFFDIO_COPY while mprotect() runs over the same mapping"
era = "v6.9"

[[uffd]]
name = "gc"

[[vma]]
name = "dst"
pages = 2
uffd = { ctx = "gc", modes = ["missing"] }
anon_vma = true

[[vma]]
name = "src"
pages = 2
present = [0, 1]

[[task]]
name = "gc"
calls = [ { op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 1, returns = 4096 } ]

[[task]]
name = "app"
calls = [ { op = "mprotect", at = "dst", pages = 2, prot = "r", returns = 0 } ]
"""


@scenarios.command(name="list")
def list_scenarios(*, json: bool = False) -> Answer:
    """Say which scenarios come with the program.

    Parameters
    ----------
    json
        One JSON document.
    """
    rows = [row(name, path) for name, path in shipped().items()]
    if json:
        return 0, [js.dumps(rows, indent=2)]
    wide = max((len(str(r["name"])) for r in rows), default=0)
    return 0, [f"{r['name']:<{wide}}  {r['title']}" for r in rows]


def row(name: str, path: Path) -> dict[str, object]:
    """What there is to say of one scenario."""
    scenario = load_scenario(str(path))
    return {
        "name": name,
        "title": scenario.title,
        "era": scenario.era,
        "tasks": [task for table in scenario.task for task in task_names(table)],
        "path": str(path),
    }


@scenarios.command
def lint(*paths: str) -> Answer:
    """Read scenarios strictly and set each up; without paths, those that are shipped.

    Parameters
    ----------
    paths
        Files, folders, or names of shipped scenarios.
    """
    files = [file for path in paths for file in files_of(path)]
    files = files or list(shipped().values())
    faults = [fault for file in files for fault in faults_of(file)]
    count = f"{len(files)} scenario{'s' if len(files) != 1 else ''}"
    if faults:
        return 1, [*faults, f"{count}, {len(faults)} with a fault"]
    return 0, [f"{count}, no fault"]


def files_of(path: str) -> list[Path]:
    """The scenario files that a word on the command line means."""
    folder = Path(path)
    if not folder.is_dir():
        file = find_scenario(path)
        if not file.is_file():
            msg = f"{path}: no such file"
            raise UsageError(msg)
        return [file]
    found = sorted(folder.glob("*.toml"))
    if not found:
        msg = f"{path}: no *.toml in this folder"
        raise UsageError(msg)
    return found


def faults_of(file: Path) -> list[str]:
    """What is wrong with a scenario, a line each; nothing if it is fine."""
    try:
        setting = load_setting(str(file))
        return [f"{file.name}: {fault}" for fault in (*oddities(setting),)]
    except UffdvizError as error:
        return [str(error)]


def oddities(setting: Setting) -> list[str]:
    """What can be read and set up, and yet is certainly not meant."""
    said = [] if setting.scenario.title.strip() else ["title: missing; say what happens"]
    try:
        for course in setting.courses.values():
            numbers = course.numbers
            ends = {*numbers[:ENDS], *numbers[-ENDS:], min(numbers), max(numbers)}
            for number in sorted(ends):
                course.calls(number)
    except ScenarioError as error:
        said.append(str(error))
    return said


@scenarios.command
def new(name: str) -> Answer:
    """Write a small scenario to begin from.

    Parameters
    ----------
    name
        The file is NAME.toml here; an existing file is never overwritten.
    """
    stem = name.removesuffix(".toml")
    if not STEM.fullmatch(Path(stem).name):
        msg = f"{name!r}: a name is letters, digits, '_', '-' and '.'"
        raise UsageError(msg)
    path = Path(f"{stem}.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        msg = f"{path}: is there already"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise UsageError(msg) from None
    return 0, [f"{path}", f"run it: uffdviz run {path}"]


def commands(words: Sequence[str]) -> Answer:
    """Run one of them, for tests."""
    answer: Answer = scenarios(words, exit_on_error=False, print_error=False)
    return answer
