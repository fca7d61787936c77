"""What functions the model has, read from their own docstrings.

`explain`, the table of docs/model.md and the screen all take it from here.
"""

import inspect
import re
from functools import cache
from typing import Any, Final

from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.labels import kernel_name, labels
from uffdviz.light import msgspec

SECTION: Final = re.compile(r"(?<!\S)(Kernel|Left out|Returns|Raises):\s+")
FILE: Final = re.compile(r"[\w/.-]+\.[chS]")


class Function(msgspec.Struct, frozen=True):
    """One function of the model: which kernel function it stands for, and what it leaves out.

    `eras` are the names of the eras that use it; `steps` its labels, in order. Events call it
    `printed`, the name of its own.
    """

    name: str
    module: str
    summary: str
    kernel: str
    left_out: str
    returns: str
    eras: tuple[str, ...]
    steps: tuple[str, ...]
    printed: str


@cache
def catalogue() -> dict[str, tuple[Function, ...]]:
    """Every function by its kernel name; several where eras differ."""
    users: dict[tuple[str, Any], list[str]] = {}
    for era in eras().values():
        for name in dir(era):
            fn = inspect.unwrap(getattr(era, name))
            if inspect.iscoroutinefunction(fn):
                users.setdefault((name, fn), []).append(era.era)
    found: dict[str, list[Function]] = {}
    for (name, fn), used in users.items():
        found.setdefault(name, []).append(_read(fn, name, tuple(used)))
    return {name: tuple(found[name]) for name in sorted(found)}


def _read(fn: Any, name: str, used: tuple[str, ...]) -> Function:
    parts = _sections(inspect.getdoc(fn) or "")
    return Function(
        name=name,
        module=fn.__module__,
        summary=parts["summary"],
        kernel=_kernel_of(parts["Kernel"] or _file_of(fn), name),
        left_out=parts["Left out"],
        returns=parts["Returns"],
        eras=used,
        steps=_steps(fn),
        printed=kernel_name(fn.__code__.co_name),
    )


def _kernel_of(text: str, name: str) -> str:
    """The first sentence; where it names only a file, the function is called as ours is."""
    source = text.partition(". ")[0].rstrip(".")
    return f"{source}, {name}()" if FILE.fullmatch(source) else source


def _file_of(fn: Any) -> str:
    return _sections(inspect.getdoc(inspect.getmodule(fn)) or "")["Kernel"]


def _sections(doc: str) -> dict[str, str]:
    pieces = SECTION.split(doc)
    parts = dict.fromkeys(("summary", "Kernel", "Left out", "Returns", "Raises"), "")
    parts["summary"] = _flat(pieces[0])
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        parts[title] = _flat(text)
    return parts


def _flat(text: str) -> str:
    return " ".join(text.split())


def _steps(fn: Any) -> tuple[str, ...]:
    lines, first = inspect.getsourcelines(fn)
    known = labels(fn.__code__.co_filename)
    found = (known.get(line, "") for line in range(first, first + len(lines)))
    return tuple(dict.fromkeys(label for label in found if label))
