"""The words that the program explains: locks, errnos, its own terms; functions and steps."""

import tomllib
from functools import cache
from importlib.resources import files

from uffdviz.errors import UsageError, near_miss
from uffdviz.kernel.catalogue import Function, catalogue
from uffdviz.kernel.eras.registry import eras
from uffdviz.light import msgspec


class Explanation(msgspec.Struct, frozen=True):
    """A paragraph and where its facts are from."""

    word: str
    kind: str
    text: str
    source: str


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...]
    text: str
    source: str


@cache
def words() -> dict[str, Explanation]:
    """Every word with a paragraph of its own, under each of its names in lower case."""
    table = tomllib.loads(files("uffdviz.course").joinpath("words.toml").read_text("utf-8"))
    found = msgspec.convert(table["word"], tuple[_Word, ...])
    return {
        name.casefold(): Explanation(word.names[0], "word", word.text, word.source)
        for word in found
        for name in word.names
    }


def explain(word: str) -> tuple[Explanation, ...]:
    """What a word means; several where a step or a function has several places.

    Raises: UsageError with a near miss.
    """
    asked = " ".join(word.split()).removesuffix("()")
    if known := words().get(asked.casefold()):
        return (known,)
    if functions := catalogue().get(asked):
        return tuple(of_function(f) for f in functions)
    if places := tuple(of_step(asked)):
        return places
    if era := eras().get(asked):
        text = " ".join((era.__doc__ or "").split())
        return (Explanation(asked, "era", text, "docs/model.md"),)
    hint = near_miss(asked, [*words(), *catalogue(), *eras()])
    tail = hint or "; try a lock, an errno, a kernel function, or a step such as B3"
    msg = f"no explanation for {asked[:60]!r}{tail}"
    raise UsageError(msg)


def of_function(function: Function) -> Explanation:
    """A function of the model in a paragraph."""
    parts = [function.summary]
    if function.returns:
        parts.append(f"Returns {function.returns.rstrip('.')}.")
    if function.left_out:
        parts.append(f"Left out: {function.left_out.rstrip('.')}.")
    if function.steps:
        parts.append(f"Steps: {', '.join(function.steps)}.")
    parts.append(f"Eras: {', '.join(function.eras)}.")
    return Explanation(f"{function.name}()", "function", " ".join(parts), function.kernel)


def of_step(label: str) -> list[Explanation]:
    """Where a numbered step of the reference is done."""
    return [
        Explanation(
            label, "step", f"A step of {f.name}(): {f.summary} Eras: {', '.join(f.eras)}.", f.kernel
        )
        for functions in catalogue().values()
        for f in functions
        if label in f.steps
    ]
