"""Every era can be named: the releases, the revisions of the series, and what differs by nothing."""

import pytest

from uffdviz.kernel.eras.registry import era, eras

RELEASES = ["v6.1", "v6.8", "v6.9", "v6.12", "v6.18"]
REVISIONS = [f"series-v{number}" for number in range(2, 7)]
SAME = {"series-v1": "series-v2", "series-v7": "v6.9"}
"""Revisions that differ by nothing but a rebase: history.md, versions 1 and 7."""


def test_the_eras_are_the_releases_in_order_and_then_the_revisions() -> None:
    assert list(eras()) == [*RELEASES, *REVISIONS]


@pytest.mark.parametrize("name", [*RELEASES, *REVISIONS, *SAME])
def test_a_name_gives_the_kernel_that_has_it(name: str) -> None:
    assert era(name).era == SAME.get(name, name)
