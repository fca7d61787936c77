"""A lecture's notes on a second terminal: what they say, and whoever of the two ends first."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.screen import Shown, show
from tests.tui.settings import LESSON, SmallShelf, lesson, session
from uffdviz.errors import UsageError
from uffdviz.places import lectures_dir
from uffdviz.tui import notes as command
from uffdviz.tui.lectern import Lectern
from uffdviz.tui.notes import OVER, Listener, as_sentences, chosen, lines_of
from uffdviz.tui.render.notes import BETWEEN, Notes, notes_of
from uffdviz.tui.screens.run import RunScreen


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def said(number: int) -> Notes:
    return {"title": f"A title  v6.9  step {number}/9", "parts": [("Now", [f"step {number}"])]}


def folder() -> Path:
    lectures_dir().mkdir(parents=True, exist_ok=True)
    return lectures_dir()


def left_behind(name: str) -> Path:
    """A socket whose process is gone."""
    path = folder() / f"{name}.sock"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    return path


def text_of(shown: Shown) -> str:
    assert isinstance(shown.app.screen, RunScreen)
    return "\n".join(lines_of(notes_of(shown.app.screen.view()), 80))


def test_notes_have_the_page_the_answer_and_what_comes_next() -> None:
    async def act(shown: Shown) -> None:
        assert "Read:\n  gc copies a page." in text_of(shown)
        assert "▷ gc until holds mmap_lock for read" in text_of(shown)
        await shown.press("b")
        text = text_of(shown)
        assert "Now:\n  2  gc holds mmap_lock for read." in text
        assert "Question:\n  ? What happens when gc goes on?" in text
        assert "✓ 2 It waits for app." in text
        assert "The answer is 2." in text
        assert "a reader has to wait" in text
        assert "▷ app until holds vma dst for write" in text
        assert "gc copies a page" not in text
        await shown.press("b", "2", "b", "b")
        assert "Goal:\n  Break it: Make them wait for each other." in text_of(shown)
        assert "The end of the lesson." in text_of(shown)

    show(act, lesson())


def test_the_audience_sees_none_of_it() -> None:
    async def act(shown: Shown) -> None:
        text = await shown.press("l", "b")
        assert "Narration" not in text
        assert "goes on" not in text
        assert "gc holds mmap_lock" in text

    show(act, lesson())


async def whole(act: Callable[[Lectern], None], later: Callable[[Lectern], None]) -> list[str]:
    """What a listener hears of what is told before and after it has come."""
    lectern = Lectern()
    act(lectern)
    listener = await asyncio.to_thread(lambda: Listener(chosen(folder(), "")))
    lines = as_sentences(listener)
    first = [await asyncio.to_thread(lambda: next(lines)) for _ in range(2)]
    later(lectern)
    return [*first, *await asyncio.to_thread(lambda: [*lines])]


def test_a_listener_hears_what_is_told_then_the_end() -> None:
    def later(lectern: Lectern) -> None:
        assert lectern.tell(said(2)) == ""
        lectern.close()

    def first(lectern: Lectern) -> None:
        assert lectern.tell(said(1)) == ""

    lines = asyncio.run(whole(first, later))
    assert [line.strip() for line in lines if "step" in line and "title" not in line] == [
        "step 1",
        "step 2",
    ]
    assert lines[-1] == OVER
    assert not [*folder().iterdir()]


def test_a_listener_that_ends_first_or_does_not_keep_up_is_let_go() -> None:
    async def main() -> None:
        lectern = Lectern()
        assert lectern.tell(said(0)) == ""
        path = chosen(folder(), "")
        gone = await asyncio.to_thread(Listener, path)
        slow = await asyncio.to_thread(Listener, path)
        gone.close()
        for number in range(5_000):
            assert lectern.tell({"title": f"{number}", "parts": [("Now", ["x" * 1000])]}) == ""
        assert lectern._listeners == []
        slow.close()
        again = await asyncio.to_thread(Listener, path)
        assert again.first["title"] == "4999"
        again.close()
        lectern.close()

    asyncio.run(main())


def test_without_a_lecture_one_line_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="no lecture is running: press l"):
        command.notes()


def test_a_socket_that_was_left_behind_is_no_lecture_and_goes() -> None:
    path = left_behind("17")
    assert path.exists()
    with pytest.raises(UsageError, match="no lecture is running"):
        command.notes()
    assert not path.exists()


def test_a_file_that_is_no_socket_is_no_lecture_and_stays() -> None:
    path = folder() / "5.sock"
    _ = path.write_text("mine")
    with pytest.raises(UsageError, match="no lecture is running"):
        command.notes()


def test_of_two_lectures_one_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        one, two = Lectern(), Lectern()
        assert one.tell(said(1)) == ""
        monkeypatch.setattr(os, "getpid", lambda: 4712)
        assert two.tell(BETWEEN) == ""
        with pytest.raises(UsageError, match=r"2 lectures are going on: .*4712 \(Between two runs"):
            _ = await asyncio.to_thread(chosen, folder(), "")
        with pytest.raises(UsageError, match=r"no lecture '4711'; lectures are .*mean '4712'"):
            _ = await asyncio.to_thread(chosen, folder(), "4711")
        assert (await asyncio.to_thread(chosen, folder(), "4712")).stem == "4712"
        one.close()
        two.close()

    asyncio.run(main())


def test_somebody_else_at_a_socket_is_told_in_one_line() -> None:
    with pytest.raises(UsageError, match="another version of uffdviz"):
        _ = command.read(b'{"title": 1}', Path("3.sock"))


def test_where_no_socket_can_be_the_lecture_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ("long" * 40)))

    async def act(shown: Shown) -> None:
        await shown.press("l", "1")
        assert "nobody can hear the notes" in shown.text
        assert "Tasks" in shown.text

    show(act, session())


def test_a_second_terminal_follows_the_lecture_and_ends_with_it() -> None:
    words = [sys.executable, "-m", "uffdviz", "notes"]
    heard: list[str] = []

    async def act(shown: Shown) -> None:
        await shown.press("l")
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None

        async def until(end: str) -> None:
            while end not in "".join(heard[-1:]):
                assert process.stdout is not None
                line = await process.stdout.readline()
                assert line, heard
                heard.append(line.decode())

        async with asyncio.timeout(60):
            await until("plays this")
            await shown.press("b")
            await until("The answer is 2.")
            await shown.press("escape")
            await until("Between two runs")
            await shown.press("end", "enter")
            await until("Nothing has happened yet")
            await shown.press("l")
            await until(OVER)
            assert await process.wait() == 0

    show(act, lesson(), shelf=SmallShelf())
    assert LESSON.title in heard[0]
