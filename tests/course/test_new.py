"""A lesson can begin as a small page that is right, or as a run that was recorded."""

from pathlib import Path

import pytest

from uffdviz.course.lessons_command import new
from uffdviz.course.lint import faults_of
from uffdviz.course.load import load_lesson
from uffdviz.course.play_command import play_headless
from uffdviz.course.schema import Expect
from uffdviz.errors import UsageError
from uffdviz.run.commands import header, token_of
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import shipped
from uffdviz.run.setting import load_setting
from uffdviz.trace.recording import write_recording

TO_THE_STANDSTILL = (
    "gc until leaves lock_vma; app until waits for vma src; gc until waits for mmap_lock"
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plays(path: str) -> int:
    return play_headless(path, plain=False, json=False)[0]


def test_a_new_lesson_plays_and_is_right() -> None:
    _ = new("10-mine")
    assert plays("10-mine.md") == 0
    assert faults_of(Path("10-mine.md")) == []


def test_a_recorded_run_becomes_a_lesson_that_plays_it() -> None:
    setting = load_setting("move-meets-mprotect", "series-v4")
    run = Interleaving(setting)
    run.play(TO_THE_STANDSTILL)
    Path("run.jsonl").write_bytes(write_recording(header(setting, run.machine), run.events))
    _ = new("10-mine", run="run.jsonl")
    assert plays("10-mine.md") == 0
    (expect,) = (b for b in load_lesson(Path("10-mine.md")).blocks if isinstance(b, Expect))
    assert "deadlock" in expect.facts
    assert "gc holds vma src for read" in expect.facts


def test_a_token_becomes_a_lesson_too() -> None:
    setting = load_setting("copy")
    run = Interleaving(setting)
    run.finish()
    _ = new("10-mine", run=token_of(setting, run.machine))
    assert plays("10-mine.md") == 0


def test_a_scenario_of_ones_own_is_written_beside_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(shipped()["copy"].read_text(encoding="utf-8"), encoding="utf-8")
    setting = load_setting(str(own))
    run = Interleaving(setting)
    run.finish()
    _ = new("10-mine", run=token_of(setting, run.machine))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert plays("../10-mine.md") == 0


def test_nothing_is_overwritten() -> None:
    _ = new("10-mine")
    with pytest.raises(UsageError, match=r"10-mine\.md: there already"):
        _ = new("10-mine")


@pytest.mark.parametrize("name", ["../x", "A lesson", "", "x/y"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a lesson"):
        _ = new(name)
