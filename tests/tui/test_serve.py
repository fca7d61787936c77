"""The application in a browser: started, stepped and left in a headless Chromium."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from uffdviz.errors import UsageError
from uffdviz.tui.serve import serve

IN_CI = os.environ.get("CI") == "true"


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="a port is 1 to 65535"):
        serve(port=0)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(port: int, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the application from an empty home."""
    xdg = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    words = [sys.executable, "-m", "uffdviz", "serve", "--port", str(port)]
    environment = {**os.environ, **xdg, "HOME": str(home)}
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def ended(process: int) -> bool:
    """Wait until a process has ended, though not for ever."""
    try:
        watched = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 30)[0])
    finally:
        os.close(watched)


def children(process: int) -> list[int]:
    """The processes that a process has started and that still run."""
    folder = Path(f"/proc/{process}/task")
    return [int(n) for task in folder.iterdir() for n in (task / "children").read_text().split()]


def test_in_a_browser_one_starts_steps_and_quits(tmp_path: Path) -> None:
    browser = pytest.importorskip("tests.tui.browser", reason="no aiohttp: it comes with 'serve'")
    if not browser.installed():
        assert not IN_CI, "no Chromium in CI, where this test must run: .ci/run installs it as root"
        pytest.skip("no Chromium is installed")
    port = free_port()
    address = f"http://localhost:{port}"

    async def visit(devtools: str, server: int) -> list[int]:
        async with asyncio.timeout(60):
            await browser.answers(address)
            async with browser.page(devtools, address) as page:
                await page.shows("A page is missing")
                applications = children(server)
                await page.click()
                await page.press("Enter")
                await page.shows("step 0/0")
                await page.press("n")
                await page.shows("step 1/1")
                await page.press("q")
                await page.closed()
                return applications

    with served(port, tmp_path / "home") as server, browser.chromium(tmp_path / "profile") as tools:
        applications = asyncio.run(visit(tools, server.pid))
        assert len(applications) == 1
        assert ended(applications[0])
    assert server.returncode == 0
