"""A headless Chromium, driven through its DevTools: enough to press keys in a page and read a terminal."""

import asyncio
import base64
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ALONE = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
    "--window-size=1200,800",
    "--remote-debugging-port=0",
)
CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
KEY_CODES = {"Enter": (13, "\r")}


def installed() -> str:
    """The first browser that is there; empty if none is."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


@contextmanager
def chromium(profile: Path) -> Iterator[str]:
    """Start a browser with an empty profile. Gives: the address of its DevTools."""
    words = [installed(), *ALONE, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(rb"DevTools listening on ws://([^/\s]+)", line):
                    break
            else:
                msg = "the browser ended before it listened"
                raise AssertionError(msg)
            yield found[1].decode()
        finally:
            process.terminate()
            process.stderr.close()


class Page:
    """One page: what the application in it wrote since the last look, and its keys."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.count = 0
        self.written = ""

    async def say(self, method: str, **parameters: Any) -> None:
        """Tell the page to do something; that it answers is heard while waiting for text."""
        self.count += 1
        await self.socket.send_json({"id": self.count, "method": method, "params": parameters})

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        self.written = ""
        code, text = KEY_CODES.get(key, (ord(key.upper()[0]), key))
        common = {"key": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
        await self.say("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.say("Input.dispatchKeyEvent", type="keyUp", **common)

    async def click(self) -> None:
        """Click into the middle, which gives the terminal the keys."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.say(
                "Input.dispatchMouseEvent", type=kind, x=1000, y=400, button="left", clickCount=1
            )

    async def shows(self, words: str) -> None:
        """Wait until the application has written these words since the last key."""
        while words not in self.written:
            await self.hear()

    async def closed(self) -> None:
        """Wait until the application's connection is closed."""
        while await self.hear() != "Network.webSocketClosed":
            pass

    async def hear(self) -> str:
        """Take the next message of the page. Returns: what it is about."""
        message = await self.socket.receive_json()
        assert "error" not in message, message
        if message.get("method") == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            binary = frame["opcode"] == 2
            data = base64.b64decode(frame["payloadData"]) if binary else b""
            self.written += CONTROL.sub("", data.decode(errors="replace"))
        return str(message.get("method", ""))


@asynccontextmanager
async def page(devtools: str, address: str) -> AsyncIterator[Page]:
    """Open an address in the browser's first page."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://{devtools}/json/list") as answer:
            pages = await answer.json()
        target = next(one for one in pages if one["type"] == "page")
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            opened = Page(socket)
            await opened.say("Network.enable")
            await opened.say("Page.enable")
            await opened.say("Page.navigate", url=address)
            yield opened


async def answers(address: str) -> None:
    """Wait until a server listens there."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(address):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
