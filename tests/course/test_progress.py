"""What a person has done is kept, and can be forgotten."""

from pathlib import Path

import pytest

from uffdviz.course import progress


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path / "state")


def test_nothing_is_done_at_first() -> None:
    assert progress.finished() == frozenset()


def test_a_lesson_that_was_finished_stays_so() -> None:
    progress.finish("10-one")
    progress.finish("20-two")
    progress.finish("10-one")
    assert progress.finished() == {"10-one", "20-two"}


def test_only_a_better_run_of_a_goal_is_kept() -> None:
    for switches in (4, 2, 3):
        progress.keep_best("10-one", 1, switches)
    assert progress.best("10-one", 1) == 2
    assert progress.best("10-one", 2) is None


def test_a_goal_and_a_finished_lesson_do_not_disturb_each_other() -> None:
    progress.keep_best("10-one", 1, 2)
    progress.finish("10-one")
    assert progress.best("10-one", 1) == 2


def test_reset_forgets_everything() -> None:
    progress.finish("10-one")
    progress.keep_best("10-one", 1, 2)
    assert progress.reset() == 1
    assert progress.finished() == frozenset()
    assert progress.best("10-one", 1) is None


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"finished": 3}', '{"goals": []}'])
def test_a_file_that_cannot_be_used_counts_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / progress.FILE).write_text(text)
    assert progress.finished() == frozenset()
    assert progress.best("10-one", 1) is None
