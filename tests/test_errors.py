import pytest

from uffdviz import errors
from uffdviz.errors import UffdvizError, near_miss


def test_near_miss_names_the_word_that_was_meant() -> None:
    assert near_miss("moniter", ["app", "monitor"]) == " (did you mean 'monitor'?)"


def test_near_miss_forgives_the_case() -> None:
    assert (
        near_miss("uffdio_copy", ["UFFDIO_COPY", "UFFDIO_MOVE"]) == " (did you mean 'UFFDIO_COPY'?)"
    )


@pytest.mark.parametrize("word", ["zzz", "", "monitor" * 1_000_000])
def test_near_miss_is_silent_about_a_word_like_no_other(word: str) -> None:
    assert near_miss(word, ["app", "monitor"]) == ""


def test_near_miss_does_not_depend_on_the_order_of_the_words() -> None:
    assert near_miss("gc.3", ["gc.1", "gc.2"]) == near_miss("gc.3", ["gc.2", "gc.1"])


def test_every_error_is_a_uffdviz_error() -> None:
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    ours = [error for error in classes if error.__module__ == errors.__name__]
    assert len(ours) > 1
    assert all(issubclass(error, UffdvizError) for error in ours)
