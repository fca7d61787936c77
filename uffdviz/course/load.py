"""Reading a lesson: Markdown with TOML in front and fenced blocks that the program plays."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, get_args, get_type_hints

from uffdviz.course.schema import (
    AnyBlock,
    Check,
    Expect,
    Front,
    Goal,
    Lesson,
    Play,
    Predict,
    Prose,
    Shown,
    Totals,
)
from uffdviz.errors import LessonError, near_miss
from uffdviz.light import msgspec

TABLES: Final[dict[str, type[Predict | Goal | Check | Totals]]] = {
    "predict": Predict,
    "goal": Goal,
    "check": Check,
    "totals": Totals,
}
SHOWN: Final = ("text", "c", "toml")
KINDS: Final = ("play", "expect", *TABLES, *SHOWN)
LIMIT: Final = 1 << 20
FENCE: Final = re.compile(r"^```\s*(\S*)\s*$")
T = TypeVar("T")


def load_lesson(path: Path) -> Lesson:
    """Read one lesson.

    Raises: LessonError with the file, the line and what would be right.
    """
    text = _read(path)
    lines = text.splitlines()
    if not lines or lines[0].strip() != "+++":
        raise _wrong(path, "line 1: a lesson begins with a line '+++'")
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "+++"), None)
    if end is None:
        raise _wrong(path, "line 1: no second line '+++' ends the front matter")
    front = _toml(path, ("front matter", 1), "\n".join(lines[1:end]), Front)
    blocks = tuple(_blocks(path, lines, end + 1))
    return Lesson(path.stem, str(path), path.parent.name, front, blocks)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LIMIT:
            raise _wrong(path, "larger than 1 MiB, which no lesson is")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        msg = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise LessonError(msg) from None
    except UnicodeDecodeError:
        raise _wrong(path, "not UTF-8 text") from None


def _blocks(path: Path, lines: list[str], start: int) -> list[AnyBlock]:
    blocks: list[AnyBlock] = []
    prose: list[str] = []
    counts: dict[str, int] = {}
    at = start

    def flush(line: int) -> None:
        if any(word.strip() for word in prose):
            empty = next(i for i, words in enumerate(prose) if words.strip())
            text = "\n".join(prose).strip()
            blocks.append(Prose(text=text, line=line - len(prose) + 1 + empty))
        prose.clear()

    while at < len(lines):
        match = FENCE.match(lines[at])
        if not match:
            prose.append(lines[at])
            at += 1
            continue
        flush(at)
        close = next((i for i in range(at + 1, len(lines)) if lines[i].strip() == "```"), None)
        if close is None:
            raise _wrong(path, f"line {at + 1}: this fence is never closed")
        kind = match[1]
        counts[kind] = counts.get(kind, 0) + 1
        body = "\n".join(lines[at + 1 : close])
        blocks.append(_block(path, kind, counts[kind], at + 1, body))
        at = close + 1
    flush(at)
    return blocks


def _block(path: Path, kind: str, number: int, line: int, body: str) -> AnyBlock:
    where = f"{kind} {number} (line {line})"
    if kind == "play":
        return Play(schedule=body, line=line)
    if kind == "expect":
        found = [(at, f.strip()) for at, f in enumerate(body.splitlines(), line + 1) if f.strip()]
        if not found:
            raise _wrong(path, f"{where}: empty; one 'TASK LANDMARK' a line")
        lines, facts = zip(*found, strict=True)
        return Expect(facts=facts, lines=lines, line=line)
    if kind in TABLES:
        return _toml(path, (f"{kind} {number}", line), body, TABLES[kind], line=line)
    if kind in SHOWN:
        return Shown(kind=kind, text=body, line=line)
    hint = near_miss(kind, KINDS) or f"; fences are {', '.join(KINDS)}"
    raise _wrong(path, f"line {line}: unknown fence {kind!r}{hint}")


def _toml(path: Path, place: tuple[str, int], body: str, kind: type[T], **extra: int) -> T:
    try:
        table = tomllib.loads(body)
    except tomllib.TOMLDecodeError as error:
        _refuse(path, place, str(error))
    except RecursionError:
        _refuse(path, place, "nested too deep")
    if "line" in table:
        _refuse(path, place, "unknown key 'line'")
    try:
        return msgspec.convert({**table, **extra}, kind)
    except msgspec.ValidationError as error:
        _refuse(path, place, _explain(str(error), kind, table))


def _explain(message: str, kind: type, table: Mapping[str, Any]) -> str:
    """Add a near miss to what msgspec says of an unknown key, and the words that a key may have."""
    enum = re.fullmatch(r"Invalid enum value .* - at `\$\.(\w+)`", message)
    if enum:
        key, value = enum[1], str(table.get(enum[1]))
        words = [str(w) for w in get_args(get_type_hints(kind).get(key)) if isinstance(w, str)]
        hint = near_miss(value, words) or f"; known are {', '.join(words)}"
        return f"{key}: unknown value {value[:40]!r}{hint}"
    unknown = re.search(r"unknown field `(\w+)`", message)
    if not unknown:
        return message
    keys = [f.encode_name for f in msgspec.structs.fields(kind) if f.name != "line"]
    hint = near_miss(unknown[1], keys) or f"; keys are {', '.join(keys)}"
    return f"unknown key {unknown[1]!r}{hint}"


def _refuse(path: Path, place: tuple[str, int], what: str) -> NoReturn:
    raise _wrong(path, f"{place[0]} (line {place[1]}): {what}")


def _wrong(path: Path, what: str) -> LessonError:
    return LessonError(f"{path.name}: {what}")
