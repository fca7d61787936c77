"""The totals, in the words of lock_stat."""

from collections.abc import Mapping
from typing import Any

from uffdviz.tui.render.line import Line, Span, line
from uffdviz.tui.render.timeline import nanoseconds


def total_lines(totals: Mapping[str, Any], width: int) -> list[Line]:
    """How long each lock was waited for and held; then where each task's time went."""
    name = min(22, max(12, width - 38))
    head = f"{'lock':<{name}} {'acq':>4} {'cont':>4} {'waited':>9} {'longest hold':>13}"
    lines = [line(Span(head[:width], "dim"))]
    for row in totals.get("locks", ()):
        used = row["acquisitions"] or row["contentions"]
        if not used and not row["lock"].startswith("mmap_lock"):
            continue
        lines.append(_lock(row, name))
    lines.append(line(""))
    lines.append(line(Span(f"wall clock {nanoseconds(totals.get('wall_ns', 0))}", "strong")))
    for task, row in totals.get("tasks", {}).items():
        lines += _task(task, row)
    return lines


def _lock(row: Mapping[str, Any], room: int) -> Line:
    letter = {"read": "r", "write": "w"}.get(row["mode"], "")
    title = f"{row['lock'][: room - 2]} {letter}"
    waited = row["wait_ns"]["total"]
    longest = row["hold_ns"]["max"]
    return line(
        f"{title:<{room}} {row['acquisitions']:>4} ",
        Span(f"{row['contentions']:>4}", "blocked" if row["contentions"] else ""),
        Span(f" {nanoseconds(waited) if waited else '–':>9}", "blocked" if waited else "dim"),
        f" {nanoseconds(longest) if longest else '–':>13}",
    )


def _task(task: str, row: Mapping[str, Any]) -> list[Line]:
    uninterruptible = sum(row["uninterruptible_ns"].values())
    parts = [
        ("ran", row["running_ns"]),
        ("ready", row["runnable_ns"]),
        ("uninterruptible", uninterruptible),
        ("killable", sum(row["killable_ns"].values())),
        ("userfaultfd", row["userfaultfd_ns"]),
    ]
    words = ", ".join(f"{word} {nanoseconds(time)}" for word, time in parts if time)
    lines = [line(Span(f"{task} ", "strong"), words or "nothing yet")]
    for lock, time in row["uninterruptible_ns"].items():
        if time:
            lines.append(line("  ", Span(f"{nanoseconds(time)} of it for {lock}", "blocked")))
    return lines
