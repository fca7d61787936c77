"""The lock board: who holds, who queues, and the numbers beside each lock."""

from collections.abc import Mapping
from typing import Any

from uffdviz.trace.state import field, holders, is_lock, queue
from uffdviz.tui.render.line import Line, Span, flow, line

ALWAYS = ("mmap_lock", "vma ", "map_changing_lock")
"""Locks that have a row even when nobody has anything to do with them."""
_LETTER = {"read": "r", "write": "w"}


def lock_lines(objects: Mapping[str, Any], width: int, changed: str = "") -> list[Line]:
    """Every lock in use, those that somebody waits for first; `changed`: the last step's object."""
    locks = {name: state for name, state in objects.items() if is_lock(state)}
    shown = [name for name in locks if _worth_a_row(name, locks[name])]
    shown.sort(key=lambda name: _rank(name, locks[name]))
    column = min(max((len(name) for name in shown), default=0), max(10, width // 2 - 6))
    rows: list[Line] = []
    for name in shown:
        rows += _row(name, objects, column, width, changed=name == changed)
    return rows or [line(Span("no lock has been used yet", "dim"))]


def _worth_a_row(name: str, state: Any) -> bool:
    return bool(holders(state) or queue(state)) or name.startswith(ALWAYS)


def _rank(name: str, state: Any) -> tuple[int, int]:
    if queue(state):
        return 0, 0
    first = next((i for i, start in enumerate(ALWAYS) if name.startswith(start)), len(ALWAYS))
    return 1, first


def _row(
    name: str, objects: Mapping[str, Any], column: int, width: int, *, changed: bool
) -> list[Line]:
    state = objects[name]
    mark = Span("*" if changed else " ", "changed")
    title = Span(name.ljust(column), "strong" if holders(state) or queue(state) else "", "")
    marked = marked_by(name, objects)
    held = [Span(f"W by number, by {marked}", "write")] if marked else _held(state)
    parts = [mark, title, Span("  "), *held]
    if waiting := queue(state):
        parts.append(Span("  queue ", "blocked"))
        for number, (task, mode) in enumerate(waiting):
            parts += [
                Span(", " if number else ""),
                Span(f"{task}({_LETTER.get(mode, mode)})", "blocked", f"task {task}"),
            ]
    if field(state, "handoff"):
        parts.append(Span("  handoff promised", "blocked"))
    if note := numbers(name, objects):
        parts.append(Span(f"  {note}", "dim"))
    return flow(parts, width, indent=column + 3 if width > 50 else 4)


def _held(state: Any) -> list[Span]:
    spans: list[Span] = []
    last = ""
    for task, mode in holders(state):
        letter = "" if mode == last else {"read": "R ", "write": "W "}[mode]
        spans += [Span(" " if last else ""), Span(letter, mode), Span(task, mode, f"task {task}")]
        last = mode
    return spans or [Span("free", "dim")]


def numbers(name: str, objects: Mapping[str, Any]) -> str:
    """The sequence numbers, reference count or counter that belong to a lock, in words."""
    kind, _, of = name.partition(" ")
    if kind == "mmap_lock":
        seq = objects.get(f"mm_lock_seq {of}".strip())
        return f"mm_lock_seq {seq}" if isinstance(seq, int) else ""
    if kind == "map_changing_lock":
        changing = objects.get(f"mmap_changing {of}".strip())
        return f"mmap_changing {changing}" if isinstance(changing, int) else ""
    if kind == "vma":
        return _vma_numbers(of, name, objects)
    return ""


def _vma_numbers(of: str, name: str, objects: Mapping[str, Any]) -> str:
    count = field(objects[name], "refcnt", None)
    if count is not None:
        return f"refcount {count}"
    record = objects.get(f"mapping {of}")
    seq = field(record, "lock_seq", None)
    mm_seq = objects.get(_seq_of(record, objects))
    if seq is None or not isinstance(mm_seq, int):
        return ""
    return f"seq {seq} {'=' if seq == mm_seq else '≠'} {mm_seq}"


def marked_by(name: str, objects: Mapping[str, Any]) -> str:
    """Who has locked a mapping for writing by its number alone, or nobody."""
    kind, _, of = name.partition(" ")
    record = objects.get(f"mapping {of}")
    if kind != "vma" or holders(objects[name]) or field(record, "lock_seq") is None:
        return ""
    seq = _seq_of(record, objects)
    if field(record, "lock_seq") != objects.get(seq):
        return ""
    lock = objects.get(seq.replace("mm_lock_seq", "mmap_lock"))
    held = holders(lock) if lock is not None else ()
    return held[0][0] if held and held[0][1] == "write" else ""


def _seq_of(record: Any, objects: Mapping[str, Any]) -> str:
    own = f"mm_lock_seq {field(record, 'mm', '')}"
    return own if own in objects else "mm_lock_seq"
