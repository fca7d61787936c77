"""docs/model.md says what the code says."""

import re
from pathlib import Path

import pytest

from uffdviz.check.known_flaws import KNOWN_FLAWS
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.model_table import with_table
from uffdviz.run.read_scenario import shipped

FLAW = re.compile(r"^\| (v[\d.]+) \| ([SL]\d+) \| ([\w-]+) \|", re.MULTILINE)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "model.md").read_text(encoding="utf-8")


def test_the_committed_table_of_functions_is_that_of_today(page: str) -> None:
    assert page == with_table(page)


def test_the_known_flaws_are_those_that_check_marks(page: str) -> None:
    rows = sorted(FLAW.findall(page))
    assert rows == sorted((flaw.era, flaw.property, flaw.scenario) for flaw in KNOWN_FLAWS)


def test_the_scenarios_of_the_known_flaws_are_shipped(page: str) -> None:
    assert {scenario for _, _, scenario in FLAW.findall(page)} <= set(shipped())


def test_every_era_has_a_row(page: str) -> None:
    assert [era for era in eras() if f"`{era}`" not in page] == []
