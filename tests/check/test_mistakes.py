"""Every seeded mistake is found by a property that it is listed for; no harmless change is."""

from pathlib import Path

import pytest

from uffdviz.check.known_flaws import KNOWN_FLAWS, KnownFlaw, is_known
from uffdviz.check.properties import pick, rules
from uffdviz.kernel.mutations import Mistake, mistakes
from uffdviz.run.explore import Limits
from uffdviz.run.search import space_of
from uffdviz.run.setting import load_setting
from uffdviz.run.verdict import Finding, judge

LARGE = frozenset({"M30"})
ALL = [
    pytest.param(
        mistake,
        era,
        id=f"{mistake.ident}-{era}",
        marks=[pytest.mark.long] if mistake.ident in LARGE or era != mistake.eras[-1] else [],
    )
    for mistake in mistakes().values()
    for era in mistake.eras
]


def findings(scenario: str, era: str, *idents: str) -> list[Finding]:
    setting = load_setting(scenario, era, idents)
    verdict = judge(space_of(setting, rules(pick(()))), setting.machine, Limits())
    assert verdict.finished
    return verdict.findings


@pytest.mark.parametrize(("mistake", "era"), ALL)
def test_check_finds_what_is_wrong_and_nothing_where_nothing_is(mistake: Mistake, era: str) -> None:
    found = findings(mistake.scenario, era, mistake.ident)
    if mistake.benign:
        assert [f for f in found if not is_known(era, f.property, f.text)] == []
    else:
        assert {f.property for f in found} & {*mistake.fails}


@pytest.mark.parametrize("flaw", KNOWN_FLAWS, ids=lambda flaw: f"{flaw.era}-{flaw.property}")
def test_a_kernel_shows_its_known_flaw_and_nothing_else(flaw: KnownFlaw) -> None:
    found = findings(flaw.scenario, flaw.era)
    assert flaw.property in {f.property for f in found}
    assert all(is_known(flaw.era, f.property, f.text) for f in found)


def test_a_finding_of_the_same_property_that_says_something_else_is_not_known() -> None:
    assert not is_known("v6.9", "L1", "deadlock: gc waits for mmap_lock")
    assert not is_known("v6.18", "L2", "nobody wakes a task that could go on: ui sleeps")


def test_a_reference_that_is_given_back_and_was_never_taken_is_found(tmp_path: Path) -> None:
    file = tmp_path / "mistake.py"
    file.write_text("async def folio_get(k, folio):\n    return None\n")
    assert {(f.property, "gives back" in f.text) for f in findings("move", "v6.9", str(file))} >= {
        ("S10", True)
    }
