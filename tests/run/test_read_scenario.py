"""A bad file gives one clear line: place, value, what would be right."""

from pathlib import Path

import pytest

from uffdviz.errors import ScenarioError
from uffdviz.run.read_scenario import load_scenario, parse_scenario, scenario_of, shipped
from uffdviz.run.scenario import Copy, numbers

HEAD = """\
title = "a test"
[[uffd]]
name = "gc"
[[vma]]
name = "dst"
pages = 4
uffd = { ctx = "gc" }
[[vma]]
name = "src"
pages = 4
present = [0, "2-3"]
[[task]]
name = "gc"
"""
COPY = '{ op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 1 }'
GOOD = f"{HEAD}calls = [ {COPY} ]\n"


def said_of(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "bad.toml")
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("bad.toml: ")
    return said.removeprefix("bad.toml: ")


def call(words: str) -> str:
    return f"{HEAD}calls = [ {{ {words} }} ]\n"


BAD = {
    "not toml": ("this is prose", "not TOML: "),
    "empty": ("", "no tasks"),
    "no tasks": (HEAD.partition("[[task]]")[0], "no tasks"),
    "task without calls": (HEAD, "task 'gc', calls: none"),
    "nested deep": ("a = " + "[" * 10_000 + "]" * 10_000, "nested too deep"),
    "unknown key": (call('op = "touch", at = "dst", wriet = true'), "did you mean 'write'?"),
    "unknown top key": (GOOD + "[cost]\ncheck = 1\n", "unknown key 'cost' (did you mean 'costs'?)"),
    "unknown op": (call('op = "UFFDIO_COPI"'), "did you mean 'UFFDIO_COPY'?"),
    "no op": (call('at = "dst"'), "key 'op' is missing"),
    "missing key": (call('op = "UFFDIO_COPY", dst = "dst", pages = 1'), "key 'src' is missing"),
    "unknown mapping": (call('op = "touch", at = "dts"'), "did you mean 'dst'?"),
    "page outside": (call('op = "touch", at = "dst+4"'), "'dst': it has pages 0 to 3"),
    "no address": (call('op = "touch", at = "dst-1"'), "is no address"),
    "wrong type": (call('op = "munmap", at = "dst", pages = "one"'), "expected int, not 'one'"),
    "no pages": (call('op = "munmap", at = "dst", pages = 0'), "expected int >= 1, not 0"),
    "unknown word": (
        call('op = "madvise", at = "dst", pages = 1, advice = "dontned"'),
        "did you mean 'dontneed'?",
    ),
    "two of one name": (f"{GOOD}[[task]]\nname = 'gc'\ncalls = [ {COPY} ]\n", "two of this name"),
    "a schedule's word": (GOOD.replace('name = "gc"', 'name = "until"'), "a word of schedules"),
    "no name": (GOOD.replace('name = "gc"', 'name = "g c"'), "a name is letters"),
    "range outside": (GOOD.replace('"2-3"', '"2-4"'), "'2-4' is outside; its pages are 0 to 3"),
    "no range": (GOOD.replace('"2-3"', '"2..3"'), "is no range"),
    "two kinds of page": (GOOD.replace("present", "zero = [3]\npresent"), "page 3 is present too"),
    "unknown userfaultfd": (
        GOOD.replace('ctx = "gc"', 'ctx = "gd"'),
        "no 'gd'; there is gc",
    ),
    "which userfaultfd": (
        call('op = "read_event"') + "[[uffd]]\nname = 'other'\n",
        "ctx: missing; there are gc, other",
    ),
    "unknown era": ('era = "v6.90"\n' + GOOD, "no era 'v6.90'"),
    "unknown cost": (GOOD + "[costs]\ncopy_pag = 1\n", "did you mean 'copy_page'?"),
    "cost is no number": (GOOD + '[costs]\ncopy_page = "x"\n', "copy_page: expected int"),
    "all background": (GOOD + "background = true\n", "at least one must come to an end"),
    "overlap": (
        GOOD.replace('name = "src"', 'name = "src"\nstart = 0x7f0000003000'),
        "lies in 'dst'",
    ),
    "steps too far": (
        GOOD.replace("pages = 1 }", "pages = 1, step = 2 }") + "repeat = 3\n",
        "page 4 of 'dst' in repetition 2",
    ),
    "step of nothing": (
        call('op = "touch", at = "dst", step = { dst = 1 }'),
        "no 'dst'; there is at",
    ),
    "fixed, but where": (
        call('op = "mmap", name = "new", pages = 1, fixed = true'),
        "key 'at' is missing",
    ),
    "moved, but where": (
        call('op = "mremap", at = "src", pages = 1, fixed = true'),
        "key 'to' is missing",
    ),
    "mmap of a schedule's word": (
        call('op = "mmap", name = "done", pages = 1'),
        "word of schedules",
    ),
    "present outside": (
        call('op = "mmap", name = "new", pages = 2, present = [2]'),
        "present: 2 is outside; its pages are 0 to 1",
    ),
    "the first address space again": (GOOD + '[[mm]]\nname = "mm"\n', "mm 'mm': two of this name"),
    "unknown mutation": (GOOD + '[mutate]\nids = ["M1"]\n', "mutate, ids: no mutation 'M1'"),
    "unknown userfaultfd of a call": (
        call('op = "close", ctx = "gd"'),
        "calls 1 (close): ctx: no 'gd'; there is gc",
    ),
    "text for a table": (
        GOOD.replace('{ ctx = "gc" }', '"gc"'),
        "uffd: expected a table, not 'gc'",
    ),
    "yes for true": (
        call('op = "touch", at = "dst", write = "yes"'),
        "write: expected true or false, not 'yes'",
    ),
    "true for a number": ("cpus = true\n" + GOOD, "cpus: expected int, not true"),
    "unknown result": (call('op = "fork", returns = "-EAGIAN"'), "did you mean '-EAGAIN'?"),
    "background steps": (
        call('op = "touch", at = "dst", step = 1') + "background = true\n[[task]]\nname = 'a'\n"
        'calls = [ { op = "fork" } ]',
        "span: missing",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_line(name: str) -> None:
    text, expected = BAD[name]
    assert expected in said_of(text)


def test_the_place_of_a_mistake_is_named_by_task_and_call() -> None:
    said = said_of(call('op = "touch", at = "dst", wriet = true'))
    assert said.startswith("task 'gc', calls 1 ('touch'): ")


def test_a_file_of_10_mb_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    file = tmp_path / "big.toml"
    file.write_text("#" * 10_000_000)
    with pytest.raises(ScenarioError, match=r"big.toml: larger than 1 MiB"):
        load_scenario(str(file))


def test_a_binary_file_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "binary.toml"
    file.write_bytes(b"title = 'x'\n\x89PNG\xff")
    with pytest.raises(ScenarioError, match=r"line 2: not UTF-8 text"):
        load_scenario(str(file))


def test_the_mark_with_which_some_editors_begin_a_file_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load_scenario(str(path)).title == "a test"


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="a folder"):
        load_scenario(f"{tmp_path}/")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(str(tmp_path / "none.toml"))


def test_a_shipped_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'copy-meets-mprotect'"):
        load_scenario("copy-meets-mprotct")


def test_a_good_file_is_read_as_calls() -> None:
    scenario = parse_scenario(GOOD, "good.toml")
    assert scenario.task[0].calls == (Copy(dst="dst", src="src", pages=1),)
    assert numbers(scenario.vma[1].present) == (0, 2, 3)


def test_a_scenario_survives_a_recording() -> None:
    import msgspec

    for path in shipped().values():
        scenario = load_scenario(str(path))
        assert scenario_of(msgspec.to_builtins(scenario), "recording") == scenario


def test_every_scenario_of_the_kernel_traces_is_read(shared: Path) -> None:
    files = sorted((shared / "kernel-traces").glob("*/*.toml"))
    assert files
    for file in files:
        assert load_scenario(str(file)).task
