"""The cost table names everything that a step of the model can cost."""

import ast
from collections.abc import Iterator

import pytest

from uffdviz.errors import ScenarioError
from uffdviz.run.costs import cost_table, shipped_costs
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
