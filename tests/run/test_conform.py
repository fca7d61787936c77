"""Traces of real kernels are explained to the end, and refused where they were tampered with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uffdviz.errors import RecordingError, UsageError
from uffdviz.run.conform_command import conform, explained, held_against, trace_paths
from uffdviz.run.kernel_trace import read_trace
from uffdviz.run.read_scenario import load_scenario
from uffdviz.run.setting import Setting

Lines = list[dict[str, Any]]
V6_12 = "6.12.117+deb12-cloud-amd64"
V6_1 = "6.1.0-56-cloud-amd64"
DIFFERENT = {
    "v6.12": ["copy", "copy8", "copy_fresh_anon", "zeropage", "continue", "wp_protect", "mprotect",
              "munmap", "mremap_move", "register", "mmap", "fork", "fault_missing", "ev_munmap",
              "move_two_vmas"],
    "v6.1": ["copy", "zeropage", "continue", "mprotect", "munmap", "register", "fork"],
}  # fmt: skip


def trace(shared: Path, name: str, kernel: str = V6_12) -> Path:
    return shared / "kernel-traces" / kernel / f"{name}.jsonl"


def tampered(
    shared: Path, tmp_path: Path, name: str, change: Callable[[Lines], int], kernel: str = V6_12
) -> tuple[dict[str, Any], int]:
    """Change a copy of a trace. Returns: the report, and the line that was changed."""
    source = trace(shared, name, kernel)
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    line = change(lines)
    copy = tmp_path / source.name
    copy.write_text("\n".join(json.dumps(one) for one in lines) + "\n")
    return held_against(copy, source.with_suffix(".toml")), line


def at(lines: Lines, event: str, lock: str, rep: int = 2) -> int:
    """The index of an event of the operation in a repetition."""
    return next(
        i
        for i, e in enumerate(lines)
        if (e["event"], e["lock"], e["rep"], e["thread"]) == (event, lock, rep, "op")
    )


def test_every_trace_conforms(shared: Path) -> None:
    for path in trace_paths([shared / "kernel-traces"]):
        report = held_against(path, path.with_suffix(".toml"))
        assert report["first"] is None, path
        begun = sum('"event": "begin"' in line for line in path.read_text().splitlines())
        assert report["repetitions"] == begun
        events = report["events"]
        assert events["explained"] + events["left_out"] + tolerated(report) >= events["total"]


def tolerated(report: dict[str, Any]) -> int:
    return sum(4 * int(row["count"]) for row in report["tolerances"])


def test_nothing_is_tolerated_except_a_reschedule_in_one_fork(shared: Path) -> None:
    for path in trace_paths([shared / "kernel-traces"]):
        rules = [r["rule"] for r in held_against(path, path.with_suffix(".toml"))["tolerances"]]
        known = ["page-table locks dropped and taken again to reschedule"]
        assert rules == (known if path == trace(shared, "fork") else [])


@pytest.mark.parametrize(("era", "name"), [(e, n) for e, names in DIFFERENT.items() for n in names])
def test_a_trace_is_refused_under_an_era_in_which_the_operation_differs(
    shared: Path, era: str, name: str
) -> None:
    kernel, other = (V6_12, "v6.1") if era == "v6.12" else (V6_1, "v6.12")
    path = trace(shared, name, kernel)
    assert held_against(path, path.with_suffix(".toml"), other)["verdict"] == "diverges"


def test_two_events_of_one_thread_swapped_are_refused_at_that_place(
    shared: Path, tmp_path: Path
) -> None:
    def swap(lines: Lines) -> int:
        one, other = at(lines, "release", "map_changing_lock"), at(lines, "release", "vma_lock")
        lines[one], lines[other] = lines[other], lines[one]
        return one + 1

    report, line = tampered(shared, tmp_path, "copy", swap)
    assert report["first"]["line"] == line
    assert report["first"]["expected"] == "release map_changing_lock for read"
    assert report["first"]["function"] == "mfill_atomic"


def test_a_dropped_rwsem_event_is_refused_at_the_next_one(shared: Path, tmp_path: Path) -> None:
    def drop(lines: Lines) -> int:
        gone = at(lines, "acquire", "map_changing_lock")
        del lines[gone]
        return gone + 1

    report, line = tampered(shared, tmp_path, "copy", drop)
    assert report["first"]["line"] >= line
    assert report["first"]["expected"] == "acquire map_changing_lock for read"


def test_an_added_rwsem_event_is_refused_there(shared: Path, tmp_path: Path) -> None:
    def add(lines: Lines) -> int:
        where = at(lines, "release", "map_changing_lock")
        lines.insert(where, dict(lines[at(lines, "acquire", "map_changing_lock")]))
        return where + 1

    report, line = tampered(shared, tmp_path, "copy", add)
    assert report["first"]["line"] == line


def test_a_wrong_mode_is_refused_there(shared: Path, tmp_path: Path) -> None:
    def change(lines: Lines) -> int:
        where = at(lines, "acquire", "mmap_lock")
        lines[where]["mode"] = "write"
        return where + 1

    report, line = tampered(shared, tmp_path, "copy_fresh_anon", change)
    assert report["first"]["line"] == line
    assert report["first"]["expected"] == "acquire mmap_lock for read"


def test_a_wrong_mapping_is_refused_there(shared: Path, tmp_path: Path) -> None:
    def change(lines: Lines) -> int:
        where = at(lines, "acquire", "vma_lock")
        lines[where]["vma"] = "src"
        return where + 1

    report, line = tampered(shared, tmp_path, "move_two_vmas", change)
    assert report["first"]["line"] == line
    assert report["first"]["expected"] == "acquire vma_lock of dst for read"


def test_a_wrong_result_is_refused_at_the_end(shared: Path, tmp_path: Path) -> None:
    def change(lines: Lines) -> int:
        where = next(i for i, e in enumerate(lines) if e["event"] == "end" and e["rep"] == 3)
        lines[where]["ret"] = -17
        return where + 1

    report, line = tampered(shared, tmp_path, "copy", change)
    assert report["first"]["line"] == line
    assert report["first"]["expected"] == "returns 4096"


def test_a_lone_dropped_spinlock_event_is_counted_as_a_tolerance(
    shared: Path, tmp_path: Path
) -> None:
    def drop(lines: Lines) -> int:
        del lines[at(lines, "release", "ptl")]
        return 0

    report, _ = tampered(shared, tmp_path, "copy", drop)
    assert report["verdict"] == "conforms"
    assert report["tolerances"] == [{"rule": "a spinlock hit that the probes missed", "count": 1}]


def test_bad_traces_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for content, says in ((b"", "empty"), (b"{\n", "line 1: not a JSON object"), (b"{}", "line 1")):
        path.write_bytes(content)
        with pytest.raises(RecordingError, match=says):
            held_against(path, tmp_path / "a.toml")


def test_a_trace_without_a_scenario_says_what_is_missing(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "copy.jsonl"
    path.write_text(trace(shared, "copy").read_text())
    with pytest.raises(UsageError, match="name one with --scenario"):
        held_against(path, path.with_suffix(".toml"))


def test_one_command_prints_the_table(shared: Path) -> None:
    status, lines = conform(trace(shared, "copy"), trace(shared, "register"))
    said = list(lines)
    assert status == 0
    assert [line.split()[:5] for line in said[1:3]] == [
        [f"{V6_12}/copy", "v6.12", "conforms", "5", "30"],
        [f"{V6_12}/register", "v6.12", "conforms", "5", "20"],
    ]


@pytest.mark.parametrize(
    ("mistake", "names"),
    [
        ("M23", ["copy", "copy8", "copy_fresh_anon", "copy_src_unfaulted", "continue", "zeropage"]),
        ("M24", ["copy_eagain", "ev_munmap"]),
        ("M17", ["mprotect"]),
        ("M18", ["fork"]),
        ("N03", ["fault_missing", "move_same_vma", "move_two_vmas"]),
    ],
)
def test_a_trace_is_refused_under_a_mutation_of_its_operation(
    shared: Path, mistake: str, names: list[str]
) -> None:
    for name in names:
        path = trace(shared, name)
        setting = Setting(load_scenario(str(path.with_suffix(".toml"))), "", (mistake,))
        assert explained(read_trace(path), setting).first is not None, name


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("vma_start_write(k, vma)", ["mmap", "munmap", "mremap_move", "register"]),
        ("mmap_read_lock(k, mm)", ["wp_protect", "madvise_dontneed"]),
    ],
)
def test_a_trace_is_refused_when_a_lock_is_left_out(
    shared: Path, tmp_path: Path, function: str, names: list[str]
) -> None:
    file = tmp_path / "mistake.py"
    file.write_text(f"async def {function}:\n    return None\n")
    for name in names:
        path = trace(shared, name)
        setting = Setting(load_scenario(str(path.with_suffix(".toml"))), "", (str(file),))
        assert explained(read_trace(path), setting).first is not None, name
