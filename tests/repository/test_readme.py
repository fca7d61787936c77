"""The README's two commands are whole, and CI runs the one that tests."""

import re
from pathlib import Path


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
