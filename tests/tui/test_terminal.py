"""However the application ends in the middle of a run, the terminal is as before and nothing runs on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.terminal import LEFT, Terminal

LESSON = "20-a-reader-behind-a-waiting-writer"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "STATE")}


@pytest.fixture
def terminal(home: dict[str, str]) -> Iterator[Terminal]:
    """A lesson that plays by itself, with a lecture that can be heard."""
    with Terminal(["play", LESSON], home) as opened:
        opened.shows("Narration")
        opened.press("l")
        opened.shows("uffdviz notes")
        opened.press(" ")
        opened.shows("▷ every 0.5 s")
        yield opened


def is_as_before(terminal: Terminal, home: dict[str, str]) -> bool:
    assert terminal.mode == terminal.before
    assert [sign for sign in LEFT if sign not in terminal.written] == []
    assert terminal.left_over == []
    assert list(Path(home["XDG_STATE_HOME"]).rglob("*.sock")) == []
    return "Traceback" not in terminal.written


@pytest.mark.parametrize("key", ["q", "\x11"], ids=["q", "ctrl+q"])
def test_a_key_quits(terminal: Terminal, home: dict[str, str], key: str) -> None:
    terminal.press(key)
    assert terminal.end() == 0
    assert is_as_before(terminal, home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_quits(terminal: Terminal, home: dict[str, str], number: signal.Signals) -> None:
    assert terminal.mode != terminal.before
    terminal.written = ""
    terminal.process.send_signal(number)
    assert terminal.end() == 128 + number
    assert is_as_before(terminal, home)


def test_a_terminal_that_is_closed_leaves_no_process(
    terminal: Terminal, home: dict[str, str]
) -> None:
    terminal.close()
    assert terminal.end() == 128 + signal.SIGHUP
    assert terminal.left_over == []
    assert list(Path(home["XDG_STATE_HOME"]).rglob("*.sock")) == []


def test_a_search_beside_the_screen_does_not_hold_up_the_end(home: dict[str, str]) -> None:
    with Terminal([], home) as terminal:
        terminal.shows("Course and sandbox")
        terminal.press("/")
        terminal.shows("enter: go")
        terminal.press("three-operations-beside\r")
        terminal.shows("guard")
        terminal.press("\r")
        terminal.shows("Timeline")
        terminal.press("o")
        terminal.shows("oracle …")
        terminal.press("q")
        assert terminal.end() == 0
        assert is_as_before(terminal, home)
