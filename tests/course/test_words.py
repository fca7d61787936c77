"""Every lock, errno, function and step has a paragraph; an unknown word has a near miss."""

import pytest

from uffdviz.course.explain_command import explain as command
from uffdviz.course.words import explain, words
from uffdviz.errors import UsageError
from uffdviz.kernel.catalogue import catalogue
from uffdviz.kernel.errno import NAMES


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
    assert len({e.text for e in words().values()}) > 35


def test_the_command_prints_a_paragraph() -> None:
    status, lines = command("mmap_lock")
    (text,) = lines
    assert status == 0
    assert text.splitlines()[0] == "mmap_lock"
    assert max(map(len, text.splitlines()[1:-1])) <= 78
