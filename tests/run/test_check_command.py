"""`uffdviz check` as a person or a program meets it."""

import json
from pathlib import Path
from typing import Any

import pytest

from uffdviz.cli import main

LEAK = """
async def vma_end_read(k, vma):
    pass
"""


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["check", *words, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_what_holds_is_status_0_with_counts(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = run(capsys, "move-meets-mprotect", "--era", "v6.9")
    assert (status, report["verdict"], report["findings"]) == (0, "holds", [])
    assert report["states"] > 100
    assert report["transitions"] >= report["states"] - 1
    assert set(report["properties"].values()) == {"holds"}


def test_what_is_violated_is_status_1_with_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = run(capsys, "move-meets-mprotect", "--era", "series-v4", "--property", "L1")
    assert (status, report["verdict"], report["properties"]) == (1, "violated", {"L1": "violated"})
    (finding,) = report["findings"]
    assert finding["property"] == "L1"
    assert finding["point_of_no_return"] < finding["steps"]
    assert finding["switches"] == len(finding["schedule"]) - 1
    assert not finding["known_flaw"]


def test_a_limit_is_status_3_and_never_called_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = run(capsys, "opposite-moves", "--max-states", "1500")
    assert (status, report["verdict"]) == (3, "unfinished")
    assert set(report["properties"].values()) == {"unfinished"}


def test_a_known_flaw_of_a_kernel_is_marked_and_no_violation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, report = run(capsys, "pin-meets-close", "--era", "v6.9")
    assert (status, report["verdict"]) == (0, "holds")
    assert [finding["known_flaw"] for finding in report["findings"]] == [True]


def test_a_mistake_from_a_file_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "leak.py"
    file.write_text(LEAK)
    status, report = run(capsys, "copy", "--mutate", str(file), "--property", "S10")
    assert (status, report["mutations"]) == (1, [str(file)])
    assert "still holds" in report["findings"][0]["text"]


FORGETFUL = """
async def unregister_vma(k, vma, start, end):
    old = await Step(vma.rec, whole_record)
    return await k.userfaultfd_clear_vma(vma, old, start, end)
"""


@pytest.mark.parametrize(
    ("scenario", "verdict"),
    [("unregister-meets-fault", "holds"), ("unregister-wakes-a-sleeper", "violated")],
)
def test_a_known_flaw_is_none_where_only_a_mutation_brings_it_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scenario: str, verdict: str
) -> None:
    file = tmp_path / "forgetful.py"
    head = (
        "from uffdviz.kernel.steps import Step\nfrom uffdviz.kernel.vma_tree import whole_record\n"
    )
    file.write_text(head + FORGETFUL)
    _, report = run(capsys, scenario, "--era", "v6.9", "--mutate", str(file))
    assert report["verdict"] == verdict


def test_what_a_file_of_functions_does_wrong_is_said_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("async def vma_end_read(k, vma):\n    await k.up_raed(vma.lock)")
    assert main(["check", "copy", "--mutate", str(file)]) == 2
    assert f"{file}:2: AttributeError" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--mutate", "./wrong.py"], ["--mutate=./wrong.py"]])
def test_a_file_of_functions_is_known_however_its_path_is_written(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("uffdviz.run.watch.GRACE", 0.3)
    file = Path("wrong.py")
    file.write_text("async def vma_end_read(k, vma):\n    await k.up_raed(vma.lock)")
    assert main(["check", "copy", *words]) == 2
    assert "wrong.py:2: AttributeError" in capsys.readouterr().err
    file.write_text(STUCK["goes on and on without a step"])
    assert main(["check", "copy", "--max-seconds", "1", *words]) == 2
    assert "wrong.py: a function goes on and on" in capsys.readouterr().err


def test_a_function_with_a_yield_is_refused_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("async def vma_end_read(k, vma):\n    yield 1")
    assert main(["check", "copy", "--mutate", str(file)]) == 2
    assert "here it has a 'yield'" in capsys.readouterr().err


def test_a_step_of_the_call_that_fails_is_a_reason_for_eagain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, report = run(capsys, "copy-may-fail", "--property", "L4")
    assert (status, report["verdict"]) == (0, "holds")


def test_what_is_left_in_the_end_is_judged_beside_a_monitor_that_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("async def reattach_vmas(k, vmas):\n    pass")
    _, report = run(capsys, "munmap-may-fail", "--mutate", str(file), "--property", "S2")
    assert "it is detached" in report["findings"][0]["text"]


STUCK = {
    "goes on and on without a step": "async def userfaultfd_changing(k, ctx):\n    while True: pass",
    "that is no step: None": (
        "import asyncio\nasync def userfaultfd_changing(k, ctx):\n    await asyncio.sleep(0)"
    ),
    "SystemExit: 5": "raise SystemExit(5)",
}


@pytest.mark.parametrize("wrong", STUCK)
def test_a_file_of_functions_that_does_not_come_to_a_step_is_said(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uffdviz.run.watch.GRACE", 0.3)
    file = tmp_path / "wrong.py"
    file.write_text(STUCK[wrong])
    seconds = ["--max-seconds", "1"] if "goes on" in wrong else []
    assert main(["check", "copy", "--mutate", str(file), *seconds]) == 2
    captured = capsys.readouterr()
    assert wrong in captured.err
    assert captured.out == ""


def test_what_a_file_of_functions_prints_is_not_in_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prints.py"
    file.write_text(f"print('read')\n{LEAK}    print('run')\n")
    status, report = run(capsys, "copy", "--mutate", str(file), "--property", "S10")
    assert (status, report["verdict"]) == (1, "violated")


@pytest.mark.parametrize("search", ["random", "pct"])
def test_a_limit_ends_a_run_by_chance_in_its_middle(
    search: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compaction", "--search", search, "--max-states", "300"]
    status, report = run(capsys, *words)
    assert (status, report["verdict"]) == (3, "unfinished")
    assert report["states"] < 500


def test_the_recording_of_a_finding_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.jsonl"
    words = ["move-meets-mprotect", "--era", "series-v4", "--property", "L1"]
    run(capsys, *words, "--record", str(file))
    assert main(["replay", str(file)]) == 0


def test_which_of_two_findings_was_recorded_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "finding.jsonl"
    words = ["move-meets-mprotect", "--era", "series-v4", "--record", str(path)]
    assert main(["check", *words]) == 1
    assert f"recorded in {path}: the run that shows L1" in capsys.readouterr().out
    _, report = run(capsys, *words)
    assert [finding["property"] for finding in report["findings"]] == ["L1", "S11"]
    assert (report["recorded"]["property"], report["recorded"]["path"]) == ("L1", str(path))
    _, report = run(capsys, *words, "--property", "S11")
    assert report["recorded"]["property"] == "S11"


def test_without_a_finding_nothing_is_recorded_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "finding.jsonl"
    assert main(["check", "copy", "--record", str(path)]) == 0
    assert "no finding, so nothing is recorded" in capsys.readouterr().out
    assert not path.exists()


@pytest.mark.parametrize("most", [1, 2, 5, 100])
@pytest.mark.parametrize("scenario", ["copy-meets-fork", "two-copies"])
def test_no_more_states_are_reported_than_were_allowed(
    scenario: str, most: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = run(capsys, scenario, "--max-states", str(most))
    assert (status, report["verdict"], report["states"]) == (3, "unfinished", most)


@pytest.mark.parametrize("search", ["random", "pct"])
def test_runs_by_chance_find_but_never_prove(
    search: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, broken = run(capsys, "move-meets-mprotect", "--era", "series-v4", "--search", search)
    assert broken["verdict"] == "violated"
    status, sound = run(capsys, "move-meets-mprotect", "--search", search, "--max-states", "5000")
    assert (status, sound["verdict"]) == (3, "unfinished")
    assert "runs" in sound["worth"]


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["nothing-of-the-kind"], "nothing-of-the-kind"),
        (["copy", "--property", "S99"], "no property 'S99'"),
        (["copy", "--mutate", "M99"], "no mutation 'M99'"),
        (["copy", "--max-states", "0"], "--max-states"),
        (["copy", "--max-seconds", "0"], "--max-seconds"),
        (["copy", "--max-seconds", "nan"], "--max-seconds"),
    ],
)
def test_bad_input_is_status_2_and_one_line(
    words: list[str], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert wrong in captured.err
    assert captured.err.count("\n") == 1


def test_in_words_it_says_the_verdict_the_schedule_and_what_cannot_show(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["check", "move-meets-mprotect", "--era", "series-v4", "--property", "L1"])
    text = capsys.readouterr().out
    assert "move-meets-mprotect under series-v4: violated" in text
    assert "fewest switches" in text
    assert "sequentially consistent" in text


EXPECTS = """
title = "a copy beside DONTNEED"
era = "v6.9"
[[uffd]]
name = "gc"
features = ["remove"]
[[vma]]
name = "dst"
pages = 1
uffd = { ctx = "gc" }
anon_vma = true
[[vma]]
name = "src"
pages = 1
present = [0]
[[task]]
name = "gc"
calls = [ { op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 1, returns = 4096 } ]
[[task]]
name = "app"
calls = [ { op = "madvise", at = "dst", pages = 1, advice = "dontneed" } ]
[[task]]
name = "monitor"
calls = [ { op = "read_event", ctx = "gc" } ]
"""


def checked(
    capsys: pytest.CaptureFixture[str], text: str, path: Path, *words: str
) -> tuple[int, dict[str, Any]]:
    path.write_text(text)
    status = main(["check", str(path), "--json", *words])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, report


def test_a_result_that_some_order_does_not_give_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "expects.toml"
    status, report = checked(capsys, EXPECTS, path)
    [finding] = report["findings"]
    assert (status, report["verdict"], finding["property"]) == (1, "violated", "returns")
    assert finding["text"] == "gc: UFFDIO_COPY dst src 1 page returned -EAGAIN, not 4096"
    assert not finding["known_flaw"]
    assert {v for k, v in report["properties"].items() if k != "returns"} == {"holds"}
    schedule = "; ".join(finding["schedule"])
    assert main(["run", str(path), "--schedule", schedule, "--json"]) == 1
    assert "returned -EAGAIN, not 4096" in json.loads(capsys.readouterr().out)["unmet"][0]


def test_results_are_of_the_scenario_s_own_kernel_unless_they_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "expects.toml"
    status, report = checked(capsys, EXPECTS, path, "--era", "v6.12")
    assert (status, "returns" in report["properties"]) == (0, False)
    status, report = checked(capsys, EXPECTS, path, "--era", "v6.12", "--property", "Returns")
    assert (status, report["properties"]) == (1, {"returns": "violated"})


def test_without_a_result_in_the_scenario_none_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = EXPECTS.replace(", returns = 4096", "")
    status, report = checked(capsys, text, tmp_path / "silent.toml")
    assert (status, "returns" in report["properties"]) == (0, False)


def test_the_second_of_two_twins_may_be_the_one_that_is_disappointed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, tail = EXPECTS.partition('[[task]]\nname = "app"')
    assert tail
    status, report = checked(capsys, head + "count = 2\n", tmp_path / "twins.toml")
    assert status == 1
    assert "returned -EEXIST, not 4096" in report["findings"][0]["text"]
