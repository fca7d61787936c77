"""Every lock, errno, function and step has a paragraph; an unknown word has a near miss."""

import re
import tomllib
from importlib.resources import files

import msgspec
import pytest

from uffdviz.check.properties import IDENTS, rule_of
from uffdviz.cli import main
from uffdviz.course.derived import calls
from uffdviz.course.explain_command import explain as command
from uffdviz.course.shelf import CourseShelf
from uffdviz.course.words import KINDS, explain, words
from uffdviz.errors import UsageError
from uffdviz.kernel.catalogue import catalogue
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.errno import NAMES
from uffdviz.kernel.mutations import mistakes
from uffdviz.run.commands import reported
from uffdviz.run.compare import run_compared
from uffdviz.run.costs import shipped_costs
from uffdviz.run.report import totals_lines
from uffdviz.run.scenario import Call, Scenario, Table, TaskTable, UffdTable, VmaTable
from uffdviz.run.setting import load_setting
from uffdviz.trace.snapshot import History


@pytest.mark.parametrize("lock", ["mmap_lock", "vma", "map_changing_lock", "anon_vma", "ptl"])
def test_a_lock_is_explained_with_its_source(lock: str) -> None:
    (found,) = explain(lock)
    assert found.text.endswith(".")
    assert found.source


@pytest.mark.parametrize("text", ["-EAGAIN", "eagain", "-EEXIST", "ENOENT", "-EBUSY", "-EIO"])
def test_an_errno_is_explained_with_and_without_its_minus(text: str) -> None:
    assert explain(text)[0].word in NAMES.values()


def test_a_function_is_explained_for_each_era_that_has_its_own() -> None:
    found = explain("mfill_atomic()")
    assert len(found) == len(catalogue()["mfill_atomic"]) > 1
    assert all("mm/userfaultfd.c" in e.source for e in found)


def test_a_step_names_the_functions_that_do_it() -> None:
    assert any("mfill_atomic()" in e.text for e in explain("B3"))


def test_an_era_is_explained() -> None:
    assert explain("series-v4")[0].kind == "era"


def test_an_unknown_word_is_refused_with_a_near_miss() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'mmap_lock'"):
        explain("mmap_lok")


def test_every_function_of_the_model_has_a_sentence_and_a_kernel_source() -> None:
    bare = [f.name for fs in catalogue().values() for f in fs if not f.summary or not f.kernel]
    assert bare == []


def test_no_two_words_share_a_name() -> None:
    folder = files("uffdviz.course")
    texts = [f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")]
    names = [
        name for text in texts for word in tomllib.loads(text)["word"] for name in word["names"]
    ]
    assert len({name.casefold() for name in names}) == len(names) == len(words()) > 200


@pytest.mark.parametrize("op", sorted(calls()))
def test_every_call_is_explained_with_what_it_takes(op: str) -> None:
    (found, *_) = explain(op)
    assert (found.word, found.kind) == (op, "call")
    assert "In a scenario it takes " in found.text
    assert explain(f"_{op}")[0].text == found.text, "as events print its function"


def test_what_a_call_takes_is_read_from_the_format_of_scenarios() -> None:
    assert "takes dst, src, pages, wp = false, dontwake = false" in explain("UFFDIO_COPY")[0].text


@pytest.mark.parametrize(
    "table", [Scenario, UffdTable, VmaTable, TaskTable, Call, *calls().values()]
)
def test_every_key_of_a_scenario_is_explained(table: type[Table]) -> None:
    for field in msgspec.structs.fields(table):
        assert explain(field.encode_name)


@pytest.mark.parametrize("cost", shipped_costs())
def test_every_cost_is_explained_with_its_range(cost: str) -> None:
    (found,) = [one for one in explain(cost) if one.kind == "cost"]
    assert f"{shipped_costs()[cost].ns} ns" in found.text
    assert found.source


@pytest.mark.parametrize("code", sorted(NAMES.values()))
def test_every_errno_is_explained(code: str) -> None:
    assert [one.word for one in explain(code)] == [code]


@pytest.mark.parametrize("ident", IDENTS)
def test_every_property_is_explained_by_its_own_rule(ident: str) -> None:
    (found,) = explain(ident)
    assert found.kind == "property"
    assert rule_of(ident)[1:] in found.text


@pytest.mark.parametrize("ident", sorted(mistakes()))
def test_every_mutation_is_explained_from_its_record(ident: str) -> None:
    (found,) = explain(ident)
    one = mistakes()[ident]
    assert all(said in found.text for said in (one.change, one.scenario, *one.eras, *one.fails))


@pytest.mark.parametrize("name", [*eras(), "series-v1", "series-v7"])
def test_every_era_is_explained_under_each_name(name: str) -> None:
    assert explain(name)[0].kind == "era"


@pytest.mark.parametrize("era", ["v6.1", "v6.9", "v6.18"])
@pytest.mark.parametrize(
    "scenario",
    ["copy-meets-fork", "move-swapped", "copy-meets-munmap", "two-address-spaces", "continue"],
)
def test_every_object_and_function_of_a_run_is_explained(scenario: str, era: str) -> None:
    machine = load_setting(scenario, era).machine()
    _ = run_compared(machine, "", 5000)
    last = History(machine.start, machine.events).last
    printed = {event.function for event in machine.events} - {""}
    assert [name for name in sorted({*last.objects, *printed}) if not explain(name)] == []


def test_a_lock_is_explained_as_it_is_printed() -> None:
    for printed, word in (
        ("vma dst", "vma"),
        ("ptl dst+1", "ptl"),
        ("fault_wqh.lock gc", "fault_pending_wqh"),
        ("map_changing_lock gc", "map_changing_lock"),
        ("MMAP_LOCK", "mmap_lock"),
        ("anon_vma users dst", "rmap"),
    ):
        assert explain(printed)[0].word == word


def test_every_kind_of_object_has_a_paragraph_of_its_own() -> None:
    assert {*words()} >= KINDS


@pytest.mark.parametrize("phrase", ["deadlock banana", "waits for mmap_lock", "touch dst"])
def test_a_phrase_is_no_object(phrase: str) -> None:
    with pytest.raises(UsageError, match="no explanation"):
        explain(phrase)


def keys_of(value: object) -> set[str]:
    """Every key in a JSON value; names of tasks and locks are none."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if not isinstance(value, dict):
        return set()
    return {*value}.union(*map(keys_of, value.values()))


def test_every_word_of_the_totals_is_explained() -> None:
    setting = load_setting("copy-meets-mprotect", "v6.8")
    machine = setting.machine()
    _ = run_compared(machine, "", 5000)
    report = reported(setting, machine)
    heads = {
        head
        for line in totals_lines(report["totals"])
        if line.startswith(("lock ", "task "))
        for head in re.split(r" {2,}", line)
    }
    keys = keys_of(report["totals"]) - {*report["totals"]["tasks"]}
    assert "wait total" in heads
    assert "runnable_ns" in keys
    for word in sorted({*heads, *keys, "wall clock"}):
        assert explain(word)


WORDS = [
    "task",
    "step",
    "event",
    "world",
    "era",
    "scenario",
    "schedule",
    "interleaving",
    "recording",
    "snapshot",
    "landmark",
    "finding",
    "verdict",
    "oracle",
    "holder",
    "waiter",
    "runnable",
    "blocked",
    "contended",
    "ready",
    "asleep",
    "done",
    "switch",
    "token",
    "handoff",
    "deadlock",
    "livelock",
    "PTE",
    "pmd",
    "D-state",
    "MADV_DONTNEED",
    "deadline",
    "kill",
    "fail",
    "spin",
    "killable",
    "monitor",
]


@pytest.mark.parametrize("word", [*WORDS, "point of no return", "known flaw"])
def test_every_word_of_the_program_is_explained(word: str) -> None:
    assert explain(word)[0].source


def test_a_property_and_a_step_that_differ_by_case_are_told_apart() -> None:
    assert {one.kind for one in explain("S1")} == {"property"}
    assert {one.kind for one in explain("s1")} == {"step"}
    assert explain("b3") == explain("B3")
    assert explain("m01") == explain("M01")


@pytest.mark.parametrize(
    ("word", "near"),
    [("UFFDIO_MOV", "UFFDIO_MOVE"), ("deadlok", "deadlock"), ("-EAGIN", "-EAGAIN")],
)
def test_a_near_miss_is_of_the_same_kind(word: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{near}'"):
        explain(word)


def test_the_newest_kernels_come_first_and_none_twice() -> None:
    first, *others = explain("userfaultfd_move")
    assert "v6.18" in first.text
    assert [one.text.count("v6.1.") for one in others] == [1]
    assert len(explain("userfaultfd_poison")) == 2
    order = [one.text.partition("Eras: ")[2] for one in explain("mfill_atomic")]
    assert order[0].startswith("v6.9, v6.12, v6.18")


def test_a_run_asks_for_its_own_era() -> None:
    (found,) = explain("userfaultfd_move", "v6.1")
    assert "Refuse" in found.text
    (found,) = explain("mfill_atomic", "v6.8")
    assert "v6.8" in found.text
    other = explain("find_and_pin_vmas", "v6.9")
    assert other == explain("find_and_pin_vmas") != ()


def test_a_session_explains_what_its_kernel_does() -> None:
    shelf = CourseShelf()
    tools = shelf.tools(shelf.open_scenario("move-meets-mprotect", "v6.1"))
    assert tools is not None
    assert [text.partition(".")[0] for _, text, _ in tools.explain("userfaultfd_move")] == [
        "Refuse what this kernel does not know"
    ]


def test_no_word_at_all_says_what_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 2
    assert "explain needs a word: a lock (mmap_lock), an errno (-EAGAIN)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["-EAGAIN"], ["-ENOENT"], ["--json", "-EAGAIN"], ["-EBUSY", "--json"]]
)
def test_an_errno_is_no_option(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 0
    assert ("[" in capsys.readouterr().out) == ("--json" in words)


def test_a_name_is_not_broken_at_its_dashes() -> None:
    assert all(not line.endswith("-") for ident in mistakes() for line in printed(ident))


def printed(word: str) -> list[str]:
    """What the command prints."""
    return "\n".join(command(word)[1]).splitlines()


def test_the_command_prints_a_paragraph() -> None:
    status, lines = command("mmap_lock")
    (text,) = lines
    assert status == 0
    assert text.splitlines()[0] == "mmap_lock"
    assert max(map(len, text.splitlines()[1:-1])) <= 78
