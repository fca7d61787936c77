"""The README's two commands are whole, and CI runs the one that tests."""

import re
import shlex
from pathlib import Path

import pytest

from uffdviz.cli import main

LEFT_OUT = "…"


def commands(root: Path) -> list[str]:
    fences = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    return [fence.strip() for fence in fences[:2]]


def test_each_command_is_one_line_from_nothing_through_the_lock(root: Path) -> None:
    start, test = commands(root)
    for command in (start, test):
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert " run --locked " in command
    assert start.endswith(" uffdviz")


def test_ci_ends_with_the_test_command(root: Path) -> None:
    _, test = commands(root)
    assert (root / ".ci" / "run").read_text().rstrip().splitlines()[-1] == test


def test_pictures_that_are_shown_exist(root: Path) -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", (root / "README.md").read_text()):
        assert (root / picture).is_file(), picture


def test_links_lead_to_files(root: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", (root / "README.md").read_text()):
        assert (root / link).is_file(), link


def tour(root: Path) -> list[tuple[str, list[str]]]:
    """The commands of the tour, each with the lines that it is said to print."""
    fences = re.findall(r"```console\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    parts = [part for fence in fences for part in fence.split("$ ")[1:]]
    return [(part.splitlines()[0], part.splitlines()[1:]) for part in parts]


def test_the_commands_of_the_tour_print_what_it_shows(
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(tour(root)) == 7
    for command, shown in tour(root):
        program, *words = shlex.split(command)
        assert program == "uffdviz"
        assert main(words) in {0, 1}, command
        printed = iter(capsys.readouterr().out.splitlines())
        for line in shown:
            assert line == LEFT_OUT or line in printed, f"{command}: no longer prints {line!r}"
