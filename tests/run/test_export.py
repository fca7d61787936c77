"""A recording in other forms: each is well-formed and says what happened."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from uffdviz.cli import answer
from uffdviz.errors import RecordingError, UsageError
from uffdviz.run.export_command import FORMS, Replayed, diff, export, replayed
from uffdviz.trace.export.spans import spans


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that waits for mmap_lock behind a writer."""
    path = tmp_path_factory.mktemp("recordings") / "deadlock.jsonl"
    schedule = "app until holds mmap_lock for write; gc until waits for mmap_lock to read; "
    words = ["run", "copy-meets-mprotect", "--era", "v6.8", "--schedule", schedule]
    answer([*words, "--record", str(path)])
    return path


@pytest.fixture(scope="module")
def run(recording: Path) -> Replayed:
    return replayed(recording)


def test_text_has_a_line_for_each_event(run: Replayed) -> None:
    assert "gc   waits for mmap_lock to read" in FORMS["text"](run)


def test_perfetto_has_lanes_for_tasks_and_locks(run: Replayed) -> None:
    rows = json.loads(FORMS["perfetto"](run))["traceEvents"]
    names = {r["args"]["name"] for r in rows if r["ph"] == "M"}
    assert {"gc", "app", "mmap_lock (app)"} <= names
    waits = [r for r in rows if r.get("cat") == "wait"]
    assert waits[0]["name"].startswith("waits for mmap_lock")
    assert all(r["dur"] >= 0 for r in rows if r["ph"] == "X")


def test_spans_of_calls_nest(run: Replayed) -> None:
    calls = [s for s in spans(run.events) if s.kind == "call" and s.task == "gc"]
    for one in calls:
        for other in calls:
            apart = one.end <= other.start or other.end <= one.start
            inside = one.start <= other.start and other.end <= one.end
            around = other.start <= one.start and one.end <= other.end
            assert apart or inside or around


def test_the_cast_has_a_frame_a_step_that_fits_its_screen(run: Replayed) -> None:
    head, *frames = [json.loads(line) for line in FORMS["cast"](run).splitlines()]
    assert (head["version"], len(frames)) == (2, len(run.events) + 1)
    for _, kind, text in frames:
        rows = text.removeprefix("\x1b[H\x1b[2J").split("\r\n")
        assert kind == "o"
        assert len(rows) <= head["height"]
        assert max(map(len, rows)) <= head["width"]


def test_the_picture_is_xml_with_a_bar_for_each_wait(run: Replayed) -> None:
    root = ET.fromstring(FORMS["svg"](run))
    titles = [t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any(t.startswith("waits for mmap_lock to read") for t in titles)


def test_mermaid_names_who_waits_behind_whom(run: Replayed) -> None:
    said = FORMS["mermaid"](run)
    assert "sequenceDiagram" in said
    assert "waits to read, behind app" in said


def test_the_pytest_file_passes_and_notices_another_end(run: Replayed, tmp_path: Path) -> None:
    path = tmp_path / "test_made.py"
    path.write_text(FORMS["pytest"](run))
    assert pytest_status(path) == 0
    path.write_text(FORMS["pytest"](run).replace("4096", "8192"))
    assert pytest_status(path) == 1


def test_the_pytest_file_of_a_finding_in_the_middle_of_a_run_passes(tmp_path: Path) -> None:
    made = tmp_path / "finding.jsonl"
    answer(["check", "copy-meets-dontneed", "--era", "v6.8", "--record", str(made)])
    path = tmp_path / "test_finding.py"
    path.write_text(FORMS["pytest"](replayed(made)))
    assert pytest_status(path) == 0


def test_a_title_and_a_task_may_be_called_what_the_forms_read_as_their_own(tmp_path: Path) -> None:
    scenario = tmp_path / "odd.toml"
    title = 'C:\\users says "so"'
    calls = 'calls = [ { op = "compute", ns = 5 } ]'
    scenario.write_text(f"title = '{title}'\n[[task]]\nname = \"end\"\n{calls}\n")
    made = tmp_path / "odd.jsonl"
    assert answer(["run", str(scenario), "--record", str(made)])[0] == 0
    assert "actor end_ as end" in FORMS["mermaid"](replayed(made))
    path = tmp_path / "test_odd.py"
    path.write_text(FORMS["pytest"](replayed(made)))
    assert pytest_status(path) == 0


def pytest_status(path: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, check=False)
    return done.returncode


def test_export_writes_a_file_and_says_so(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.svg"
    status, lines = export(recording, to="svg", output=out)
    assert status == 0
    assert out.read_text().startswith("<svg")
    assert next(iter(lines)).startswith(str(out))


def test_a_recording_differs_from_itself_in_nothing(recording: Path) -> None:
    assert diff(recording, recording)[0] == 0


def test_two_recordings_part_at_an_event_that_is_said(recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    answer(["run", "copy-meets-mprotect", "--era", "v6.9", "--record", str(other)])
    status, lines = diff(recording, other)
    said = "\n".join(lines)
    assert status == 1
    assert "then:" in said
    assert "other ends after" in said


def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("nothing\n")
    with pytest.raises(RecordingError):
        export(path, to="text")


def test_several_forms_go_to_a_folder_a_file_for_each(recording: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    status, lines = export(recording, to="text, mermaid,pytest", output=folder)
    assert status == 0
    names = ["deadlock.txt", "deadlock.mmd", "test_deadlock.py"]
    assert [line.partition(": ")[0] for line in lines] == [str(folder / name) for name in names]
    assert all((folder / name).stat().st_size for name in names)


def test_one_form_goes_to_a_file_or_into_a_folder(recording: Path, tmp_path: Path) -> None:
    assert export(recording, to="svg", output=tmp_path / "a.svg")[0] == 0
    assert export(recording, to="svg", output=tmp_path)[0] == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "deadlock.svg").read_bytes()


def test_without_a_file_the_forms_are_printed_one_after_the_other(recording: Path) -> None:
    _, lines = export(recording, to="mermaid,text")
    texts = [list(export(recording, to=form)[1]) for form in ("mermaid", "text")]
    assert list(lines) == [*texts[0], *texts[1]]


@pytest.mark.parametrize("to", ["textt", "text,,svg", "", "text,textt"])
def test_a_form_that_is_not_known_is_one_line(recording: Path, to: str) -> None:
    with pytest.raises(UsageError, match=r"no form '.*'; forms are text, perfetto, cast, svg"):
        export(recording, to=to)


def test_several_forms_do_not_fit_into_a_file(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    with pytest.raises(UsageError, match="a file, and 2 forms need a folder"):
        export(recording, to="text,svg", output=path)
