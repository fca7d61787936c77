"""What every test can rely on."""

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI") == "true"

settings.register_profile("person", deadline=None)
settings.register_profile("same-every-time", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("same-every-time" if IN_CI else "person")


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """The kernel references and traces that lie beside a checkout."""
    folder = root.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder 'shared' beside the checkout")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail, in CI, a test that reads `shared` and was skipped: CI has that folder."""
    report = yield
    reads_shared = "shared" in getattr(item, "fixturenames", ())
    if IN_CI and reads_shared and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"skipped in CI, where nothing that reads 'shared' may be: {report.longrepr}"
        )
    return report


def in_trio_run() -> bool:
    if "trio" not in sys.modules:
        return False
    import trio

    return trio.lowlevel.in_trio_run()


@pytest.fixture(autouse=True)
def no_trio_run_left_behind() -> Iterator[None]:
    """A guest run that is not closed fails the test that left it, not those after it."""
    before = in_trio_run()
    yield
    assert before or not in_trio_run()
