"""The cost table names everything that a step of the model can cost."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from uffdviz.errors import ScenarioError
from uffdviz.run.cost_files import cost_changes
from uffdviz.run.costs import cost_table, shipped_costs
from uffdviz.run.read_scenario import parse_scenario
from uffdviz.run.work_names import failing_work, kernel_sources


def cost_names() -> Iterator[str]:
    """Every constant `cost=` of the model, and the name of work that says no other."""
    for module in kernel_sources():
        for node in ast.walk(module):
            if not isinstance(node, ast.Call):
                continue
            costs = [k.value for k in node.keywords if k.arg == "cost"]
            if ast.unparse(node.func) == "Work" and node.args and not costs:
                costs = node.args[:1]
            yield from (str(c.value) for c in costs if isinstance(c, ast.Constant) and c.value)


def test_no_name_that_the_kernel_uses_is_missing() -> None:
    assert set(cost_names()) - set(shipped_costs()) == set()


def test_every_row_lies_in_its_range_and_has_a_source() -> None:
    for name, cost in shipped_costs().items():
        low, high = cost.range
        assert low <= cost.ns <= high, name
        assert cost.source.strip(), name


def test_a_scenario_replaces_a_row() -> None:
    assert cost_table({"copy_page": 1})["copy_page"] == 1
    assert cost_table({})["copy_page"] == shipped_costs()["copy_page"].ns


def test_a_name_that_no_step_has_is_refused() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'copy_page'"):
        cost_table({"copy_pages": 1})


def test_work_that_can_fail_is_known() -> None:
    assert "alloc_page" in failing_work()


HUGE = 99999999999999999999999
ROW = 'range = [1, 2]\nsource = "here"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[copy_page]\nns = -5\n{ROW}", "copy_page: ns: expected int >= 0, not -5"),
        (f"[copy_page]\nns = 'x'\n{ROW}", "copy_page: ns: expected int, not 'x'"),
        (
            f"[copy_page]\nns = {HUGE}\n{ROW}",
            f"copy_page: ns: expected int <= {1 << 62}, not {HUGE}",
        ),
        (f"[copy_page]\n{ROW}", "copy_page: key 'ns' is missing"),
        (f"[copy_page]\nn = 5\n{ROW}", "copy_page: unknown key 'n' (did you mean 'ns'?)"),
        ("copy_page = 5", "copy_page: expected a table, not 5"),
        (
            f"[copy_pages]\nns = 5\n{ROW}",
            "costs: no step costs 'copy_pages' (did you mean 'copy_page'?)",
        ),
        ("[copy_page", "Expected ']' at the end of a table declaration (at end of document)"),
    ],
)
def test_a_file_of_costs_is_refused_with_the_cost_and_the_value(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        cost_changes(str(path))
    assert str(caught.value) == f"c.toml: {said}"


@pytest.mark.parametrize("value", [HUGE, -5, "'x'"])
def test_a_scenario_s_own_cost_is_refused_with_the_cost_and_the_value(value: object) -> None:
    text = f"[costs]\ncheck = 4\ncopy_page = {value}\n"
    with pytest.raises(
        ScenarioError, match=rf"^here: costs, copy_page: expected int.*, not {value}$"
    ):
        parse_scenario(text, "here")
