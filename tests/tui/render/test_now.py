from uffdviz.trace.circle import circle_words, find_circle
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import TaskView
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.now import now_lines


def blocked(name: str, lock: str, behind: str) -> TaskView:
    return TaskView(name, state="blocked", lock=lock, mode="read", behind=(behind,))


def test_a_circle_is_found_and_told_in_one_sentence() -> None:
    tasks = {"ui": TaskView("ui"), "a": blocked("a", "L", "b"), "b": blocked("b", "M", "a")}
    circle = find_circle(tasks)
    assert circle == ("a", "b")
    assert circle_words(circle, tasks) == (
        "A circle, nobody in it can move again: a waits for L, behind b; b waits for M, behind a."
    )


def test_a_chain_that_ends_with_somebody_who_runs_is_no_circle() -> None:
    assert find_circle({"a": blocked("a", "L", "b"), "b": TaskView("b")}) == ()


def test_who_may_go_on_is_said_with_keys() -> None:
    tasks = {"gc": TaskView("gc"), "app": TaskView("app")}
    text = plain(now_lines(None, tasks, ["gc", "app"], 80, height=3, upcoming="app"))
    assert text.splitlines()[-1] == "May go on: 1 gc   2 app (next)"


def test_everybody_done_is_said() -> None:
    tasks = {"gc": TaskView("gc", state="done")}
    assert "Everybody is done." in plain(now_lines(None, tasks, [], 80, height=3))


def test_a_sentence_that_is_cut_ends_with_a_sign() -> None:
    event = Event(
        n=4, task="app", function="sys_mprotect", step="", start=0, end=9, fact="Saw",
        text="sees mapping dst 0x7f0000000000-0x7f0000002000 rw", choice="app",
        calls=(("enter", "do_mprotect_pkey"), ("enter", "mprotect_fixup")),
    )  # fmt: skip
    tasks = {"gc": TaskView("gc"), "app": TaskView("app")}
    whole = plain(now_lines(event, tasks, ["gc"], 200, height=3)).splitlines()[0]
    assert not whole.endswith("…")
    for width in range(20, len(whole) + 1):
        for note in ("", "a note"):
            lines = plain(now_lines(event, tasks, ["gc"], width, height=3, note=note)).splitlines()
            said = lines[bool(note) : -1]
            assert all(len(row) <= width for row in said)
            shown = "".join(said).replace(" ", "").rstrip("…")
            assert said[-1].endswith("…") == (shown != whole.replace(" ", ""))
            assert whole.replace(" ", "").startswith(shown)
