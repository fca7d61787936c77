"""Every era can be named: the releases, the revisions of the series, and what differs by nothing."""

import pytest

from uffdviz.kernel.eras.registry import era, eras

RELEASES = ["v6.1", "v6.8", "v6.9", "v6.12", "v6.18"]
REVISIONS = [f"series-v{number}" for number in range(1, 8)]


@pytest.mark.parametrize("name", [*RELEASES, *REVISIONS])
def test_a_name_gives_the_kernel_that_has_it(name: str) -> None:
    kernel = era(name)
    assert name in {kernel.era, *kernel.aliases}


def test_no_two_kernels_have_one_name() -> None:
    names = [name for kernel in eras().values() for name in (kernel.era, *kernel.aliases)]
    assert sorted(names) == sorted({*RELEASES, *REVISIONS})
