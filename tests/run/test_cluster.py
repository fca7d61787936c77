"""A sweep over a Dask cluster that already runs gives what it gives here."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

distributed: Any = pytest.importorskip("distributed")

SWEEP = ["compare", "copy-meets-mprotect", "--eras", "v6.8,v6.9", "--sweep", "copy_page=100..200"]


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a scheduler with one worker."""
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(host="127.0.0.1", **options) as cluster:
        yield cluster.scheduler_address


def swept(*options: str) -> str:
    command = [sys.executable, "-m", "uffdviz", *SWEEP, *options, "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_sweep(scheduler: str) -> None:
    assert swept("--cluster", scheduler) == swept()


def test_jobs_give_the_same_sweep() -> None:
    assert swept("--jobs", "2") == swept()
