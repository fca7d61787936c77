"""The application as sentences: what is typed, and what is said."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from queue import SimpleQueue

import pytest
from syrupy.assertion import SnapshotAssertion

from uffdviz.cli import main
from uffdviz.course.shelf import CourseShelf
from uffdviz.plain.app import conversation
from uffdviz.plain.talk import COMMANDS, Talk
from uffdviz.run.explore import Tick
from uffdviz.run.workload import Workload
from uffdviz.trace.profile import Pair
from uffdviz.trace.profile_words import span
from uffdviz.trace.recording import load_recording


class Interrupted(SimpleQueue[str | None]):
    """What a question says; ^C comes while one waits for the first of it."""

    come = False

    def get(self, *_: object) -> str | None:
        if not self.come:
            self.come = True
            raise KeyboardInterrupt
        return super().get()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def answers(scenario: str, typed: Iterable[str] = ()) -> list[str]:
    """What is said once a scenario was opened and some lines were typed."""
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_scenario(scenario))
    said = list(talk.begin())
    for line in typed:
        said += [f"> {line}", *talk.hear(line)]
    return said


def last(scenario: str, *typed: str) -> str:
    """What is said to the last of some lines."""
    said = answers(scenario, typed)
    at = max(i for i, line in enumerate(said) if line == f"> {typed[-1]}")
    return "\n".join(said[at + 1 :])


def whole(typed: Iterable[str]) -> list[str]:
    lines = iter(typed)
    return list(conversation(CourseShelf(), lambda: next(lines, None)))


def test_the_sentences_of_a_small_run(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert main(["run", "mprotect", "--plain"]) == 0
    assert capsys.readouterr().out.partition("\nlock ")[0] == snapshot


def test_a_talk_about_a_writer_between_readers(snapshot: SnapshotAssertion) -> None:
    typed = [*"1123", "why", *"2233", "locks", "tasks", "p", "[", "]", "g 2", "3", "v"]
    assert "\n".join(answers("readers-around-a-writer", typed)) == snapshot


def test_the_first_blocks_of_a_lesson(snapshot: SnapshotAssertion) -> None:
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_lesson("10-a-page-is-missing"))
    said = [*talk.begin(), *talk.hear("b"), *talk.hear("a 3"), *talk.hear("b")]
    assert "\n".join(said) == snapshot


def test_an_empty_line_takes_the_step_that_is_due() -> None:
    assert last("two-copies", "").startswith("Step 1. gc calls UFFDIO_COPY")


def test_a_task_steps_by_its_number_and_by_its_name() -> None:
    assert last("two-copies", "2") == last("two-copies", "gc2")
    assert "Step 1. gc2 calls" in last("two-copies", "2")


def test_a_step_that_cannot_be_is_refused_with_its_reason() -> None:
    assert last("two-copies", "9") == "There is no task 9."
    assert "I do not know 'dance'" in last("two-copies", "dance")
    assert last("two-copies", "kill nobody").startswith("That cannot be: no task 'nobody'")
    assert last("two-copies", "explain qwertz").startswith("That cannot be: no explanation")


def test_a_step_that_is_not_there_is_refused_with_those_that_are() -> None:
    for wrong in ("abc", "99999", "-5", ""):
        said = last("two-copies", "1", "1", f"g {wrong}")
        assert said == f"That cannot be: no step {wrong!r}; steps are 0 to 2."
    assert "Step 1 of 2" in last("two-copies", "1", "1", "g 1")


def test_back_and_another_step_keep_the_run_that_was_left() -> None:
    said = last("two-copies", "1", "1", "p", "2")
    assert "new run from here on" in said
    assert "v 1: the first run, 2 steps" in last("two-copies", "1", "1", "p", "2", "v")


def test_the_run_can_be_saved_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    assert str(file) in last("two-copies", "1", "2", f"s {file}")
    assert load_recording(file).header.schedule == ("gc", "gc2")


def test_the_end_of_a_run_is_said() -> None:
    assert last("mprotect", *["n"] * 60).endswith("The run is over.")


def test_the_oracle_says_what_can_come_of_each_move() -> None:
    said = "Nothing can go wrong any more, whatever the order.\nSafe: a step of gc and gc2."
    assert last("two-copies", "o") == said


def test_help_says_every_key() -> None:
    said = last("two-copies", "?")
    assert all(f"\n{word}" in said for word in COMMANDS if word not in {"", "n", "help"})
    assert last("two-copies", "help") == said


def test_the_list_opens_by_number_by_name_and_under_another_kernel() -> None:
    shelf = CourseShelf()
    number = len(shelf.lessons()) + [e.name for e in shelf.scenarios()].index("two-copies") + 1
    by_number, by_name = whole([str(number), "q"]), whole(["two-copies", "q"])
    assert by_number == by_name
    assert any("Kernel v6.8" in line for line in whole(["two-copies v6.8"]))


def test_a_name_that_is_not_there_gets_a_near_miss() -> None:
    assert "did you mean 'two-copies'" in whole(["two-copie"])[-1]


def test_race_says_the_race_of_two_kernels() -> None:
    said = last("compaction", "race")
    assert "v6.9 finished first, at" in said
    assert "D-state by a lock of gc and mutator" in said
    assert "The longest wait of 82: v6.8: writer" in said
    assert "v6.1 and v6.9 race" in last("compaction", "race v6.1")
    assert "did you mean 'v6.9'?" in last("compaction", "race v69")


def test_race_says_which_kernel_stands_still_and_who_waits() -> None:
    said = " ".join(
        whole(["move-meets-mprotect series-v4", "race v6.8", "vary copy_page=400..401"])
    )
    assert "series-v4 is in a deadlock from 535 ns on" in said
    assert "series-v4: nobody can move: gc waits for mmap_lock to read behind app" in said
    assert "series-v4 stood still after 535 ns, v6.8 took 11.39 µs." in said


def test_what_the_race_says_is_what_compare_says(capsys: pytest.CaptureFixture[str]) -> None:
    said = last("compaction", "race")
    assert main(["compare", "compaction", "--eras", "v6.8,v6.9", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    for era in ("v6.8", "v6.9"):
        totals = runs[era]["totals"]
        killable = sum(totals["all"]["killable_ns"].values())
        assert f"runs {span(totals['all']['running_ns'])}, " in said
        assert f"killable sleep {span(killable)}, " in said
        assert span(totals["wall_ns"]) in said


def test_a_race_is_stopped_with_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def until_stopped(self: Workload, tick: Tick) -> Pair:
        while tick(1, 0):
            pass
        return race(self, lambda _, now: now < 500_000)

    race = Workload.race
    monkeypatch.setattr("uffdviz.run.workload.STRIDE", 500)
    monkeypatch.setattr(Workload, "race", until_stopped)
    monkeypatch.setattr("uffdviz.plain.beside.SimpleQueue", Interrupted)
    assert "v6.8 is known until" in last("compaction", "race")


def test_vary_says_a_sweep_value_by_value() -> None:
    said = last("compaction", "vary writer=0..1")
    assert "writer 0: v6.9 took" in said
    assert "times as long" in said
    assert "write NAME=A..B" in last("compaction", "vary writer")


def test_menu_goes_back_to_the_list_and_q_ends_all() -> None:
    said = whole(["two-copies", "menu", "mprotect", "q", "never"])
    assert sum(line.startswith("uffdviz: ") for line in said) == 2
    assert "never" not in " ".join(said)


def test_the_end_of_a_pipe_quits_with_status_0_and_plain_text() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uffdviz", "--plain"],
        input=b"two-copies\n\n\xff\n2\n",
        capture_output=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == b""
    text = done.stdout.decode()
    assert "Step 2. gc2 calls UFFDIO_COPY" in text
    assert "\x1b" not in text
    assert not set(text) & set("─│┌└▸●■✓")


def test_the_start_is_short_and_the_rest_is_said_when_asked_for() -> None:
    start = whole([])
    assert len(start) < 12
    assert start[1].startswith("1 ")
    assert ": 1 to " in start[1]
    every = whole(["list"])[len(start) :]
    assert len(every) > 50
    some = whole(["list two-copies"])[len(start) :]
    assert set(some) < set(every)
    assert any("scenario two-copies: " in line for line in some)
    assert whole(["list qwertz"])[-1] == "Nothing here has 'qwertz' in it."


def test_help_at_the_start_says_what_can_be_typed() -> None:
    assert whole(["help"]) == whole(["?"])
    assert "list WORD" in "\n".join(whole(["help"])[-4:])


def test_the_next_change_of_task_and_words_are_found() -> None:
    typed = ["1", "1", "2", "2", "1", "home"]
    assert "Step 3 of 5" in last("two-copies", *typed, "}")
    assert "Step 5 of 5" in last("two-copies", *typed, "}", "}")
    assert "Step 3 of 5" in last("two-copies", *typed, "end", "{")
    assert "no change of task that way" in last("two-copies", *typed, "{")
    assert "Step 3 of 5. gc2 calls" in last("two-copies", *typed, "/ gc2 CALLS")
    assert last("two-copies", *typed, "/ qwertz") == "Nothing that happened has 'qwertz' in it."


def test_one_order_where_something_is_so_is_shown() -> None:
    said = last("move-meets-mprotect", "where app holds mmap_lock for write")
    assert " steps: app " in said
    assert "did you mean" in last("two-copies", "where gcc done")


def test_a_search_is_listed_stepped_into_and_gone_back_from(snapshot: SnapshotAssertion) -> None:
    typed = ["x", "x 1", "p", "p", "p", "o", "where gc waits for mmap_lock to read", "x 1", "o"]
    assert "\n".join(under("series-v4", "move-meets-mprotect", typed)) == snapshot


def test_both_kernels_are_looked_at_together(snapshot: SnapshotAssertion) -> None:
    play = "k app until holds mmap_lock for write; gc until done"
    typed = ["c v6.8", "esc", play, "c v6.8", "n", "d", "1", "2", "p", "totals", "tasks", "locks"]
    typed += ["home", "end", "9", "dance", "?", "esc", "why"]
    assert "\n".join(under("v6.9", "move-meets-mprotect", typed)) == snapshot


def under(era: str, scenario: str, typed: Iterable[str]) -> list[str]:
    """What is said to lines about a scenario under a kernel."""
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_scenario(scenario, era))
    said = list(talk.begin())
    for line in typed:
        said += [f"> {line}", *talk.hear(line)]
    return said


def test_runs_that_were_left_have_numbers_that_stay_and_names(snapshot: SnapshotAssertion) -> None:
    typed = ["v", "1", "1", "p", "2", "name the other way", "v 1", "v", "name 2 this one", "v 3"]
    assert "\n".join(answers("two-copies", typed)) == snapshot


def test_a_name_that_was_given_is_that_of_the_file() -> None:
    assert "my-run-1.jsonl" in last("two-copies", "1", "name my run", "s")


def test_what_the_panels_show_is_said(snapshot: SnapshotAssertion) -> None:
    typed = ["k gc until waits for mmap_lock to read", "w", "memory", "source", "source 2", "i"]
    typed = ["k app until holds mmap_lock for write", *typed, "totals"]
    assert "\n".join(under("v6.8", "move-meets-mprotect", typed)) == snapshot


def test_the_oracle_is_asked_at_every_step_until_it_is_told_to_stop() -> None:
    said = "Safe: a step of gc and gc2."
    assert said in last("two-copies", "o", "1")
    assert said not in last("two-copies", "o", "1", "o")
    assert said not in last("two-copies", "o", "o", "1")


def test_a_run_goes_on_by_itself_and_to_where_somebody_has_to_wait() -> None:
    assert last("mprotect", "play").endswith("Step 19. app is done.\nThe run is over.")
    assert last("mprotect", "play 2").splitlines()[-2].startswith("Step 2.")
    readers = "readers-around-a-writer"
    assert "waits for mmap_lock" in last(readers, "W").splitlines()[-2]
    waits = last(readers, "W", "W", "E")
    assert waits.startswith("Step ")
    assert "waits for mmap_lock" in waits.splitlines()[0]
    assert "E goes back" in last("mprotect", "W")


def test_words_are_found_again_and_again() -> None:
    typed = ["1", "1", "2", "2"]
    assert last("two-copies", *typed, "home", "/ gc2").startswith("Step 3 of 4")
    assert last("two-copies", *typed, "home", "/ gc2", "N").startswith("Step 4 of 4")
    assert last("two-copies", *typed, "home", "/ gc2", "N", "N").startswith("Step 3 of 4")


def test_a_block_is_gone_back_by() -> None:
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_lesson("10-a-page-is-missing"))
    _ = [*talk.begin(), *talk.hear("b"), *talk.hear("b")]
    assert next(talk.hear("B")).startswith("Step 21 of 35")
    assert next(talk.hear("B")).startswith("Step 0 of 35")
    assert next(talk.hear("B")) == "There is none further back."


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("x 1", "no finding '1'; x searches"),
        ("k", "say a schedule, as: k gc until holds mmap_lock; app x2; everyone until done"),
        ("k gcc x2", "did you mean 'gc'?"),
        ("where", "say where, for example: where gc waits for mmap_lock to read"),
        ("c v69", "did you mean 'v6.9'?"),
        ("race v69", "did you mean 'v6.9'?"),
        ("waits", "there was no race yet: race"),
        ("v 7", "no run '7'; runs are 1 to 1"),
        ("v abc", "no run 'abc'; runs are 1 to 1"),
        ("name", "say a name: name what I tried"),
        ("name 7 it", "no run '7'; runs are 1 to 1"),
        ("play abc", "'abc' is no number of steps"),
        ("source nobody", "no task 'nobody'; tasks are gc, gc2"),
        ("goal", "there is no goal here: the lessons have some"),
        ("s nowhere/run.jsonl", "No such file or directory"),
        ("N", "Say which words: / WORDS."),
    ],
)
def test_bad_input_is_one_clear_line(typed: str, said: str) -> None:
    text = last("two-copies", typed)
    assert said in text
    assert "\n" not in text


def test_findings_of_another_place_are_not_stepped_into() -> None:
    text = under("series-v4", "move-meets-mprotect", ["x", "1", "x 1"])[-1]
    assert text.startswith("That cannot be: those were found from step 0")


def test_the_longest_waits_of_a_race_are_said() -> None:
    said = last("compaction", "race", "waits 2").splitlines()
    assert [line.partition(" waits")[0] for line in said] == ["v6.8: writer.3", "v6.8: mutator"]
    assert "The longest wait of 82: v6.8: writer.3" in last("compaction", "race")


def test_a_run_that_is_left_goes_on_where_it_was() -> None:
    said = whole(["two-copies", "1", "menu", "two-copies", "q"])
    assert "This run goes on where you left it: r begins it again." in "\n".join(said)
    assert "Step 1 of 1." in said[-2]


def test_a_token_opens_the_run_of_somebody_else() -> None:
    token = last("two-copies", "1", "2", "y")
    assert "Step 2 of 2." in "\n".join(whole([token, "q"]))
    assert "Cannot open it: " in whole(["uv1.nonsense"])[-1]


def test_a_lesson_has_its_own_kernel() -> None:
    assert "a lesson has its own kernel" in whole(["1 v6.8"])[-1]


def test_a_lesson_takes_its_commands_from_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("b\na 3\nwhy\nmenu\nlist two-copies\n"))
    assert main(["play", "10-a-page-is-missing", "--plain"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("A page is missing. Kernel v6.9.")
    assert "Right. The answer is 3" in text
    assert "Nobody waits." in text
    assert "scenario two-copies: " in text
    assert main(["play", "10-a-page-is-missin", "--plain"]) == 2


def test_a_lesson_to_which_nobody_can_type_tells_all_of_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["play", "10-a-page-is-missing", "--headless", "--plain"]) == 0
    whole_text = capsys.readouterr().out
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert main(["play", "10-a-page-is-missing", "--plain"]) == 0
    assert capsys.readouterr().out == whole_text
