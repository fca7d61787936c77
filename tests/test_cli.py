import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from uffdviz.cli import ELSEWHERE, main

SCENARIO = """
title = "a copy meets mprotect"
era = "v6.9"
[[uffd]]
name = "gc"
[[vma]]
name = "dst"
pages = 4
uffd = { ctx = "gc", modes = ["missing"] }
anon_vma = true
[[vma]]
name = "src"
pages = 4
present = [0, 1, 2, 3]
[[task]]
name = "gc"
calls = [ { op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 1, returns = 4096 } ]
[[task]]
name = "app"
calls = [ { op = "mprotect", at = "dst", pages = 4, prot = "r" } ]
"""
WRITER_FIRST = "app until holds mmap_lock for write; gc until waits for mmap_lock to read"

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the program in this process; gives the status and both outputs."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "copy-meets-mprotect.toml"
    path.write_text(SCENARIO)
    return path


def test_a_run_is_told_in_words(cli: Cli, scenario: Path) -> None:
    status, out, err = cli("run", scenario, "--era", "v6.8", "--schedule", WRITER_FIRST)
    assert (status, err) == (0, "")
    assert "gc   waits for mmap_lock to read behind app" in out
    assert "gc returned 4096" in out


def test_a_run_as_json_has_the_keys_of_the_contract(cli: Cli, scenario: Path) -> None:
    status, out, _ = cli("run", scenario, "--json")
    report = json.loads(out)
    assert status == 0
    keys = {"scenario", "era", "mutations", "schedule", "returns", "deadlock", "totals"}
    assert keys <= set(report)
    assert report["scenario"] == "copy-meets-mprotect"
    assert report["returns"] == {"gc": [4096], "app": [0]}
    assert {"wall_ns", "locks", "tasks", "all"} == set(report["totals"])


def test_the_schedule_of_a_run_gives_the_same_run(cli: Cli, scenario: Path) -> None:
    _, out, _ = cli("run", scenario, "--scheduler", "random", "--seed", "5", "--json")
    schedule = "\n".join(json.loads(out)["schedule"])
    _, again, _ = cli("run", scenario, "--schedule", schedule, "--json")
    assert again == out


def test_a_schedule_can_stand_in_a_file(cli: Cli, scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / "writer-first.txt"
    path.write_text(WRITER_FIRST.replace("; ", "\n") + "   # then by time\n")
    status, out, _ = cli("run", scenario, "--era", "v6.8", "--schedule", f"@{path}")
    assert status == 0
    assert "behind app" in out


def test_a_result_that_was_not_expected_is_a_finding(cli: Cli, scenario: Path) -> None:
    scenario.write_text(SCENARIO.replace("returns = 4096", 'returns = "-EAGAIN"'))
    status, out, _ = cli("run", scenario)
    assert status == 1
    assert "4096" in out
    assert "-EAGAIN" in out


def test_a_recording_replays_until_it_is_edited(cli: Cli, scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert cli("run", scenario, "--record", path)[0] == 0
    assert cli("replay", path)[0] == 0

    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    edited = json.loads(lines[5])
    edited["text"] = "sings"
    path.write_text("".join([*lines[:5], json.dumps(edited) + "\n", *lines[6:]]))
    status, out, err = cli("replay", path)
    assert (status, out) == (1, "")
    assert "replay diverged at event 5: recorded '" in err
    assert "sings', now '" in err

    path.write_text(whole[: len(whole) // 2])
    assert cli("replay", path)[0] == 2

    path.write_text(whole.replace("sha256:", "sha256:f"))
    status, out, err = cli("replay", path)
    assert (status, out) == (2, "")
    assert "the digest does not fit" in err


def test_two_eras_stand_side_by_side(cli: Cli, scenario: Path) -> None:
    status, out, _ = cli("compare", scenario, "--eras", "v6.8,v6.9", "--json")
    compared = json.loads(out)
    assert status == 0
    assert compared["eras"] == ["v6.8", "v6.9"]
    for run in compared["runs"].values():
        rows = {(row["lock"], row["mode"]) for row in run["totals"]["locks"]}
        assert {("mmap_lock", "read"), ("mmap_lock", "write")} <= rows
    assert "wall_ns" in compared["ratios"]["v6.9"]


def test_where_a_schedule_leads_astray_is_said_and_is_a_finding_if_all_eras_do(
    cli: Cli, scenario: Path
) -> None:
    schedule = f"{WRITER_FIRST}; gc x1"
    status, out, _ = cli("compare", scenario, "--eras", "v6.8,v6.9", "--schedule", schedule)
    assert status == 1
    assert "v6.8 diverges: line 1: gc took 0 of 1 steps" in out
    assert "v6.9 diverges: line 1: gc did not reach 'waits for mmap_lock to read'" in out


def test_an_era_that_stands_still_is_not_praised_for_its_time(cli: Cli) -> None:
    words = ("compare", "move-meets-mprotect", "--eras", "v6.8,series-v4")
    status, out, _ = cli(*words)
    assert status == 1
    assert (
        "series-v4 is in a deadlock from 535 ns on, nobody can move: gc waits for mmap_lock" in out
    )
    assert out.split("wall clock")[1].split("\n")[0].split()[-1] == "deadlock"
    ratios = json.loads(cli(*words, "--json")[1])["ratios"]["series-v4"]
    assert ratios["wall_ns"] is None
    assert not any(ratios.values())


def test_a_sweep_gives_no_ratio_to_an_era_that_stands_still(cli: Cli) -> None:
    words = ("move-meets-mprotect", "--eras", "v6.8,series-v4", "--sweep", "copy_page=400..401")
    status, out, _ = cli("compare", *words)
    assert status == 1
    row = out.splitlines()[1].split()
    assert "deadlock" in row
    assert "–" in row
    assert (
        "copy_page = 401, series-v4 is in a deadlock from 535 ns on, nobody can move: gc waits for "
        "mmap_lock to read behind app, which holds it for write; app waits for vma src"
    ) in out
    point = json.loads(cli("compare", *words, "--json")[1])["points"][0]
    once = json.loads(cli("compare", *words[:3], "--json")[1])
    assert point["runs"]["series-v4"]["deadlock"] == once["runs"]["series-v4"]["deadlock"]


@pytest.mark.parametrize("name", ["event-killed", "copy-after-fork-failed"])
def test_a_sweep_kills_and_fails_as_the_scenario_says(name: str, cli: Cli) -> None:
    words = ("compare", name, "--eras", "v6.8,v6.9", "--json")
    runs = json.loads(cli(*words)[1])["runs"]
    [point] = json.loads(cli(*words, "--sweep", "copy_page=400..400")[1])["points"]
    for era, run in runs.items():
        there = point["runs"][era]
        assert (there["returns"], there["totals"]) == (run["returns"], run["totals"])


@pytest.mark.parametrize(
    "word", ["t", "garbage", "uv2.abc", "", "uv2." + "a" * 5000, "no/such.jsonl"]
)
def test_neither_a_file_nor_a_token_is_said_to_be_neither(word: str, cli: Cli) -> None:
    status, _, err = cli("replay", word)
    assert status == 2
    assert f"{word[:60]!r}: neither a file nor a token; a token is text such as uv1." in err
    assert len(err) < 250
    assert cli("lessons", "new", "10-a", f"--run={word or 'x'}")[0] == 2


@pytest.mark.parametrize("word", ["/nonexist", "/no/such.md", "nonexist.md"])
def test_a_lesson_that_is_not_there_is_bad_input_with_its_whole_name(word: str, cli: Cli) -> None:
    assert cli("lessons", "lint", word) == (2, "", f"uffdviz: {word}: no such file\n")
    assert cli("play", word, "--headless")[2].startswith(
        f"uffdviz: {word}: cannot be read: no such"
    )


def test_a_trace_that_cannot_be_read_is_named_with_its_folder(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "below" / "a.jsonl"
    path.parent.mkdir()
    path.write_text("nothing\n")
    status, _, err = cli("conform", tmp_path)
    assert status == 2
    assert err.startswith(f"uffdviz: {path}: line 1: ")


BAD = [
    ("run",),
    ("run", "no-such-scenario"),
    ("run", "{scenario}", "more"),
    ("run", "{scenario}", "--era", "v9.9"),
    ("run", "{scenario}", "--seed", "x"),
    ("run", "{scenario}", "--seed", "1.5"),
    ("check", "{scenario}", "--max-states", "1.5"),
    ("run", "x" * 5000),
    ("run", "{scenario}", "--mutate", "M999"),
    ("run", "{scenario}", "--scheduler", "fair"),
    ("run", "{scenario}", "--schedule", "gcc x3"),
    ("run", "{scenario}", "--schedule", "gc three times"),
    ("run", "{scenario}", "--schedule", "gc until holds mmap_lok"),
    ("run", "{scenario}", "--schedule", "gc until enters mfill_atomik"),
    ("run", "{scenario}", "--schedule", "gc until sleeps"),
    ("run", "{scenario}", "--schedule", "gc x0"),
    ("run", "{scenario}", "--schedule", "kill"),
    ("run", "{scenario}", "--schedule", "fail gc"),
    ("run", "{scenario}", "--schedule", "deadline mmap_lock"),
    ("run", "{scenario}", "--schedule", "#"),
    ("run", "{scenario}", "--schedule", "@/no/such/file"),
    ("run", "{scenario}", "--schedule", "@{folder}"),
    ("run", "{scenario}", "--record", "/no/such/folder/a.jsonl"),
    ("replay", "/no/such/file"),
    ("replay", "{scenario}"),
    ("replay", "{folder}"),
    ("replay", "uv1.abc"),
    ("compare", "{scenario}"),
    ("compare", "{scenario}", "--eras", "v6.9"),
    ("compare", "{scenario}", "--eras", "v6.8,v9"),
    ("nothing",),
    ("--nothing",),
    ("run", "{scenario}", "--nothing"),
    (),
]


@pytest.mark.parametrize("words", BAD, ids=lambda words: " ".join(words)[:60])
def test_bad_input_is_one_line(
    words: tuple[str, ...], cli: Cli, scenario: Path, tmp_path: Path
) -> None:
    status, out, err = cli(*(word.format(scenario=scenario, folder=tmp_path) for word in words))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("uffdviz: ")
    assert "mistake of ours" not in err
    assert len(err) < 400


def test_a_letter_that_the_output_cannot_write_is_no_error() -> None:
    words = [sys.executable, "-m", "uffdviz", "run", "copy"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"1.98 \xb5s" in done.stdout


def test_a_near_miss_is_named(cli: Cli, scenario: Path) -> None:
    _, _, err = cli("run", scenario, "--schedule", "gc x1\nap x1")
    assert (
        err == "uffdviz: schedule: line 2: no task 'ap'; tasks are gc, app (did you mean 'app'?)\n"
    )


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("app x1; fail gc", "line 1: gc cannot fail here"),
        ("app x1\ndeadline mmap_lock", "line 2: 'deadline mmap_lock' cannot happen now"),
        ("gc until holds mmap_lock for wrte", "'for wrte' is no mode"),
        ("gc until waits for vma dst to", "'to' is no mode"),
        ("gc x\u0663", "is not 'x3'"),
    ],
)
def test_what_is_wrong_in_a_schedule_is_said_with_its_line(
    schedule: str, said: str, cli: Cli, scenario: Path
) -> None:
    status, out, err = cli("run", scenario, "--schedule", schedule)
    assert (status, out) == (2, "")
    assert err.startswith("uffdviz: schedule: line ")
    assert said in err


def test_the_mark_with_which_some_editors_begin_a_schedule_is_no_fault(
    cli: Cli, scenario: Path, tmp_path: Path
) -> None:
    path = tmp_path / "marked.txt"
    path.write_text("gc x3\r\n", encoding="utf-8-sig")
    status, _, err = cli("run", scenario, "--schedule", f"@{path}")
    assert (status, err) == (0, "")


def test_a_binary_schedule_is_refused(cli: Cli, scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(bytes(range(256)))
    status, _, err = cli("run", scenario, "--schedule", f"@{path}")
    assert status == 2
    assert "not text" in err


def test_the_version_is_printed(cli: Cli) -> None:
    status, out, _ = cli("--version")
    assert status == 0
    assert out.startswith("uffdviz ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(shell: str, cli: Cli) -> None:
    status, out, _ = cli("completion", shell)
    assert status == 0
    assert "compare" in out


def test_help_has_no_colour_where_none_is_wanted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    status, out, _ = cli("run", "--help")
    assert status == 0
    assert "\x1b[3" not in out
    assert "--schedule" in out


def test_the_help_says_what_each_command_does(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    _, out, _ = cli("--help")
    said = dict(re.findall(r"^│ ([a-z]+) *(.*?) *│$", out, re.MULTILINE))
    assert {name for name, *_ in ELSEWHERE} <= set(said)
    assert [name for name, text in said.items() if not text] == []


def test_a_reader_that_leaves_early_is_no_error(scenario: Path) -> None:
    command = f"{sys.executable} -m uffdviz run {scenario} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


def test_a_reader_that_leaves_before_the_help_is_no_finding() -> None:
    command = f"{sys.executable} -m uffdviz --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    "command", ["run copy", "run copy --json", "check copy", "--help", "--plain"]
)
@pytest.mark.parametrize("out", [">/dev/full", ">&-"])
def test_an_output_that_cannot_be_written_is_one_line(command: str, out: str) -> None:
    words = f"{sys.executable} -m uffdviz {command} {out} </dev/null"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("uffdviz: standard output: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("err", ["2>/dev/full", "2>&-"])
def test_a_complaint_that_nobody_can_hear_leaves_the_status(err: str) -> None:
    words = f"{sys.executable} -m uffdviz run nothing {err}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_recording_is_the_same_under_any_hash_seed(
    seed: str, scenario: Path, tmp_path: Path, cli: Cli
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    cli("run", scenario, "--scheduler", "pct", "--seed", "3", "--record", here)
    words = [sys.executable, "-m", "uffdviz", "run", str(scenario), "--scheduler", "pct"]
    subprocess.run(
        [*words, "--seed", "3", "--record", str(there)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert there.read_bytes() == here.read_bytes()


def test_a_run_that_does_not_end_is_called_unfinished(
    cli: Cli, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uffdviz.run.commands.MOST_EVENTS", 20)
    status, out, _ = cli("run", scenario)
    assert status == 3
    assert "unfinished: stopped after 20 events" in out
    monkeypatch.setattr("uffdviz.run.measure.MOST_STEPS", 20)
    status, out, _ = cli("compare", scenario, "--eras", "v6.8,v6.9")
    assert status == 3
    assert "v6.9 is unfinished: stopped after 20 events" in out
