"""Putting mistakes into an era."""

from pathlib import Path

import pytest

from uffdviz.errors import UsageError
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.mutations import find_mistake, mistakes, mutated, original, source_of
from uffdviz.places import scenarios_dir

ONE = """
ERAS = ["v6.9", "v6.12"]


async def vma_end_read(k, vma):
    pass
"""


def test_every_mistake_fits_every_era_that_it_is_for() -> None:
    for mistake in mistakes().values():
        for era in mistake.eras:
            assert issubclass(mutated(eras()[era], [mistake.ident]), eras()[era])


def test_every_mistake_has_a_scenario() -> None:
    names = {path.stem for path in scenarios_dir().glob("*.toml")}
    assert {mistake.scenario for mistake in mistakes().values()} <= names


def test_a_mistake_leaves_the_era_as_it_was() -> None:
    before = eras()["v6.9"].mprotect_fixup
    changed = mutated(eras()["v6.9"], ["M17"])
    assert eras()["v6.9"].mprotect_fixup is before
    assert changed.mprotect_fixup is not before


def test_a_changed_function_keeps_its_lines_where_they_were() -> None:
    old = original(eras()["v6.9"], "mprotect_fixup")
    new = original(mutated(eras()["v6.9"], ["M17"]), "mprotect_fixup")
    assert old is not None
    assert new is not None
    assert new.__code__.co_firstlineno == old.__code__.co_firstlineno
    assert len(source_of(new).splitlines()) == len(source_of(old).splitlines())


def test_two_mistakes_may_be_put_into_one_era() -> None:
    both = mutated(eras()["v6.9"], ["M17", "M45"])
    assert both.era == "v6.9"


def test_two_mistakes_that_change_the_same_lines_are_refused() -> None:
    with pytest.raises(UsageError, match=r"M66 does not go with those before it: mfill_atomic\(\)"):
        mutated(eras()["v6.9"], ["M23", "M66"])


def test_an_unknown_mistake_is_refused_with_a_near_miss() -> None:
    with pytest.raises(UsageError, match="did you mean 'M14'"):
        find_mistake("M1.4")


def test_a_mistake_is_refused_in_an_era_that_has_not_what_it_changes() -> None:
    with pytest.raises(UsageError, match=r"M15 makes no sense in v6\.9; it does in v6\.18"):
        mutated(eras()["v6.9"], ["M15"])


def test_a_file_of_functions_replaces_the_era_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "leak.py"
    file.write_text(ONE)
    changed = mutated(eras()["v6.9"], [str(file)])
    assert original(changed, "vma_end_read").__module__ == str(file)
    assert "is code, and is run now" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("async def vma_end_raed(k, vma): ...", "did you mean 'vma_end_read'"),
        ("x = 1", "no 'async def' at the top"),
        ("ERAS = ['v6.18']\nasync def vma_end_read(k, vma): ...", "makes no sense in v6.9"),
        ("async def (", "SyntaxError"),
        ("def vma_end_read(k, vma): ...", "is 'async def' in the kernel's table"),
        ("async def vma_end_read(k): ...", r"vma_end_read\(k\) takes \(k, vma\) in v6.9"),
        ("ERAS = 'v6.9'\nasync def vma_end_read(k, vma): ...", "write a list"),
        ("async def helper(k): ...", "begin a helper's name with _"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(text)
    with pytest.raises(UsageError, match=wrong):
        mutated(eras()["v6.9"], [str(file)])


def test_a_function_goes_by_the_name_that_the_kernel_had_for_it_then(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text("async def uffd_lock_vma(k, mm, addr): ...\nasync def _own(k): ...")
    changed = mutated(eras()["v6.12"], [str(file)])
    assert original(changed, "lock_vma").__module__ == str(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        mutated(eras()["v6.9"], [str(tmp_path / "none.py")])
