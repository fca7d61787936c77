"""`scenarios list`, `lint` and `new`."""

import json
from pathlib import Path

import pytest

from uffdviz.errors import UsageError
from uffdviz.run.read_scenario import load_scenario
from uffdviz.run.scenario_commands import lint, list_scenarios, new


def test_the_list_says_names_and_titles() -> None:
    status, lines = list_scenarios()
    assert status == 0
    assert any(line.startswith("move-meets-mprotect ") for line in lines)


def test_the_list_is_one_json_document() -> None:
    _, lines = list_scenarios(json=True)
    rows = json.loads("\n".join(lines))
    assert {"name", "title", "era", "tasks", "path"} == set(rows[0])


def test_the_shipped_scenarios_have_no_fault() -> None:
    status, lines = lint()
    assert (status, len(list(lines))) == (0, 1)


def test_a_fault_is_a_line_and_status_1(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('title = "x"\n')
    status, lines = lint(str(tmp_path))
    assert status == 1
    assert next(iter(lines)) == "bad.toml: no tasks: a scenario needs a [[task]] with calls"


def test_a_fail_of_something_that_cannot_fail_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "fail.toml"
    call = '{ op = "fork", fail = { function = "alloc_pag" } }'
    file.write_text(f'title = "x"\n[[task]]\nname = "a"\ncalls = [ {call} ]\n')
    status, lines = lint(str(file))
    assert status == 1
    assert "did you mean 'alloc_page'" in next(iter(lines))


def test_a_path_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no such file"):
        lint("no/such.toml")


def test_new_writes_a_scenario_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    status, _ = new(str(path))
    assert status == 0
    assert load_scenario(f"{path}.toml").title
    with pytest.raises(UsageError, match="is there already"):
        new(str(path))
