"""The words that the program explains, each from the one place that knows it.

Paragraphs are in `words*.toml` beside this file; functions, steps, properties, mutations and eras are
read from the model, and the arguments of a call from the format of scenarios (`derived.py`).
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from uffdviz.course.derived import (
    Explanation,
    arguments_of,
    costs_called,
    era_names,
    eras_called,
    functions_called,
    mutations_called,
    properties_called,
    steps_called,
    things,
)
from uffdviz.errors import UsageError, near_miss
from uffdviz.light import msgspec

TRY: Final = (
    "a lock (mmap_lock), an errno (-EAGAIN), a call (UFFDIO_MOVE), a kernel function (mfill_atomic), a step (B3), "
    "a property (S1), a mutation (M01), an era (v6.9), or a word of this program (handoff)"
)

KINDS: Final = frozenset(
    {"anon_vma", "anon_vma users", "ctx refcount", "cursor", "event_wqh", "fault_pending_wqh", "fault_wqh"}
    | {"fd_wqh", "folio", "map_changing_lock", "mapping", "mm_count", "mm_lock_seq", "mm_users", "mm tree"}
    | {"mmap_changing", "mmap_lock", "page", "page cache", "page table", "page_table_lock", "ptl", "ptl pmd"}
    | {"refile_seq", "released", "swap cache", "task", "threads gone", "vma", "vma_writer_wait"}
)  # fmt: skip
"""How objects are printed: each of these, and then whose it is."""


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...]
    text: str
    source: str
    kind: str = "word"


@cache
def words() -> dict[str, Explanation]:
    """Every word with a paragraph of its own, under each of its names in lower case."""
    folder = files("uffdviz.course")
    tables = sorted(
        f.name for f in folder.iterdir() if f.name.startswith("words") and f.name.endswith(".toml")
    )
    found: dict[str, Explanation] = {}
    for name in tables:
        table = tomllib.loads(folder.joinpath(name).read_text("utf-8"))
        for word in msgspec.convert(table["word"], tuple[_Word, ...]):
            found |= {name.casefold(): explanation(word) for name in word.names}
    return found


def explanation(word: _Word) -> Explanation:
    """A paragraph; that of a call ends with what it takes in a scenario."""
    taken = arguments_of(word.names[0]) if word.kind == "call" else ""
    return Explanation(word.names[0], word.kind, f"{word.text} {taken}".rstrip(), word.source)


def explain(word: str, era: str = "") -> tuple[Explanation, ...]:
    """What a word means; several where it means several things, of the newest eras first.

    With an era, of functions and steps only what that one has, if it has them.
    Raises: UsageError with a near miss.
    """
    asked = " ".join(word.split())
    if not asked:
        msg = f"explain needs a word: {TRY}"
        raise UsageError(msg)
    era = era_names().get(era, "")
    for name in spellings(asked):
        if found := meanings(name, era):
            return found
    plain = asked.removesuffix("()")
    known = {*words(), *(one.word for one in words().values()), *things()}
    hint = near_miss(plain, known) or f"; try {TRY}"
    msg = f"no explanation for {plain[:60]!r}{hint}"
    raise UsageError(msg)


def spellings(asked: str) -> Iterator[str]:
    """The forms of a word that may be meant: as printed, in another case, an object's kind alone."""
    folded = {name.casefold(): name for name in sorted(things(), reverse=True)}
    for name in (asked, asked.removesuffix("()"), asked.lstrip("_")):
        yield name
        yield folded.get(name.casefold(), name)
    kind = asked
    while " " in kind:  # `ptl dst+1`, `anon_vma users dst`: the object it belongs to says nothing
        kind = kind.rpartition(" ")[0]
        if kind.removesuffix(".lock") in KINDS:
            yield kind.removesuffix(".lock")
    yield asked.removesuffix(".lock")
    yield asked.removesuffix("_ns")


def meanings(name: str, era: str) -> tuple[Explanation, ...]:
    """All that a word means in just this form."""
    own = words().get(name.casefold())
    return (
        *([own] if own else []),
        *properties_called(name),
        *mutations_called(name),
        *eras_called(name),
        *functions_called(name.removesuffix("()"), era),
        *steps_called(name, era),
        *costs_called(name),
    )
