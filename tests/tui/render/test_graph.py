"""Who waits for whom, and the order of locks, as text."""

from tests.tui.settings import Setting
from uffdviz.run.interleaving import Interleaving
from uffdviz.trace.lock_order import comes_back, lock_order
from uffdviz.tui.render.graph import graph_lines, order_lines, wait_lines
from uffdviz.tui.render.line import plain


def standstill() -> Interleaving:
    run = Interleaving(Setting())
    for name in ("gc", "gc", "app", "app", "gc", "app"):
        _ = run.machine.step(name)
    return run


def test_nobody_waits_at_first() -> None:
    run = Interleaving(Setting())
    assert "nobody waits" in plain(wait_lines(run.now.tasks, 60))
    assert "none yet" in plain(order_lines(lock_order(run.events), 60))


def test_a_circle_is_lit_and_said() -> None:
    text = plain(wait_lines(standstill().now.tasks, 60))
    assert "● gc ─vma dst (read)─▶ app" in text
    assert "● a circle: gc ▶ app ▶ gc" in text


def test_locks_taken_both_ways_are_lit() -> None:
    text = plain(graph_lines(standstill().now.tasks, lock_order(standstill().events), 70))
    assert "● mmap_lock ▶ vma  gc, step 5  and the other way round" in text
    assert "● vma ▶ mmap_lock  app, step 6  and the other way round" in text


def test_the_order_grows_with_the_run() -> None:
    events = standstill().events
    sizes = [len(lock_order(events[:n])) for n in range(len(events) + 1)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (0, 2)


def test_a_way_over_several_locks_comes_back_too() -> None:
    order = {("a", "b"): ("x", 1), ("b", "c"): ("x", 2), ("c", "a"): ("y", 3)}
    assert comes_back(order, "b", "a")
    assert not comes_back({("a", "b"): ("x", 1)}, "b", "a")
