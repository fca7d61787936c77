"""A run for the Perfetto viewer: the JSON trace format, a lane for each task and each lock."""

from collections.abc import Sequence
from typing import Any

from uffdviz.light import msgspec
from uffdviz.trace.events import Event
from uffdviz.trace.export.spans import spans

TASKS, LOCKS = 1, 2


def perfetto(events: Sequence[Event], title: str) -> str:
    """Write a run so that https://ui.perfetto.dev opens it. Times are virtual microseconds."""
    rows: list[dict[str, Any]] = [
        _name("process_name", TASKS, 0, f"tasks: {title}"),
        _name("process_name", LOCKS, 0, "locks"),
    ]
    lanes: dict[tuple[int, str], int] = {}
    for span in sorted(spans(events), key=lambda s: (s.start, -s.end, s.step)):
        process = LOCKS if span.kind == "hold" else TASKS
        lane = f"{span.lane} ({span.task})" if process == LOCKS else span.lane
        if (process, lane) not in lanes:
            lanes[process, lane] = len(lanes) + 1
            rows.append(_name("thread_name", process, lanes[process, lane], lane))
        rows.append(
            {
                "ph": "X",
                "name": span.name,
                "cat": span.kind,
                "pid": process,
                "tid": lanes[process, lane],
                "ts": span.start / 1000,
                "dur": (span.end - span.start) / 1000,
                "args": {"step": span.step},
            }
        )
    document = {"traceEvents": rows, "displayTimeUnit": "ns"}
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _name(what: str, process: int, lane: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": process, "tid": lane, "args": {"name": name}}
