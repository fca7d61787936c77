"""Nothing that is recorded or printed depends on the order of a set: two hash seeds, the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import contextlib, sys
from pathlib import Path

import pytest
from uffdviz.cli import main

folder, names = Path(sys.argv[1]), sys.argv[2:]
for name in names:
    for scheduler in ("time", "random", "pct"):
        stem = f"{name}.{scheduler}"
        made = folder / f"{stem}.jsonl"
        words = ["run", name, "--scheduler", scheduler, "--seed", "7", "--record", str(made), "--json"]
        with (folder / f"{stem}.json").open("w") as said, contextlib.redirect_stdout(said):
            main(words)
    with (folder / f"{name}.mmd").open("w") as said, contextlib.redirect_stdout(said):
        main(["export", str(made), "--to", "mermaid"])
"""
NAMES = (
    "close-meets-fork",
    "copy-meets-mremap",
    "event-unmap",
    "fault-read-and-resolved",
    "move-meets-mprotect",
    "opposite-moves",
    "readers-around-a-writer",
    "two-address-spaces",
)


TOURS = (
    "tests/tui/test_tour.py::test_every_panel_and_everything_on_top_of_a_run[80x24]",
    "tests/tui/test_tour.py::test_everything_that_is_asked_and_every_goal[80x24]",
)


def written(seed: str, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    words = [sys.executable, "-c", PROGRAM, str(folder), *NAMES]
    subprocess.run(words, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_recordings_reports_and_exports_are_the_same_under_two_hash_seeds(tmp_path: Path) -> None:
    one, other = (written(seed, tmp_path / seed) for seed in ("0", "1"))
    assert len(one) == 7 * len(NAMES)
    assert one == other


@pytest.mark.timeout(600)
def test_the_screens_are_as_their_golden_file_under_another_hash_seed(root: Path) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    another = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [*words, "tests/tui/test_screens.py", *TOURS],
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": another},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
