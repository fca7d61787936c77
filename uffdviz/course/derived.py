"""What the model, the checker and the format of scenarios say of themselves, as explanations."""

import sys
from collections.abc import Iterator
from functools import cache
from typing import Final, get_args

from uffdviz.check.properties import IDENTS, judged_in, rule_of
from uffdviz.kernel.catalogue import Function, catalogue
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.mutations import Mistake, mistakes
from uffdviz.light import msgspec
from uffdviz.run.costs import shipped_costs
from uffdviz.run.scenario import AnyCall, Call

COMMON: Final = frozenset(field.name for field in msgspec.structs.fields(Call))


class Explanation(msgspec.Struct, frozen=True):
    """A paragraph and where its facts are from."""

    word: str
    kind: str
    text: str
    source: str


@cache
def things() -> frozenset[str]:
    """Every name that is explained from here."""
    own = {f.printed for functions in catalogue().values() for f in functions}
    steps = {step for functions in catalogue().values() for f in functions for step in f.steps}
    return frozenset(
        {*catalogue(), *own, *steps, *IDENTS, *mistakes(), *era_names(), *shipped_costs()}
    )


@cache
def calls() -> dict[str, type[Call]]:
    """The calls of a scenario by their `op`."""
    return {str(cls.__struct_config__.tag): cls for cls in get_args(AnyCall)}


def arguments_of(op: str) -> str:
    """What a call takes: first what it must have, then what may be left out, with what it is then."""
    fields = [f for f in msgspec.structs.fields(calls()[op]) if f.name not in COMMON]
    needed = [f.encode_name for f in fields if f.required]
    free = [f"{f.encode_name} = {written(f.default)}" for f in fields if not f.required]
    if not fields:
        return "In a scenario it takes nothing."
    listed = [*needed, *(f"{one}" for one in free)]
    return f"In a scenario it takes {', '.join(listed)}."


def written(value: object) -> str:
    """A default as a scenario would write it."""
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "as it is"
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(str, value))}]"
        case _:
            return str(value)


def costs_called(name: str) -> Iterator[Explanation]:
    """A row of the table of costs."""
    cost = shipped_costs().get(name)
    if cost is not None:
        low, high = cost.range
        text = f"A cost: {cost.ns} ns of virtual time, plausible from {low} to {high} ns. A scenario's [costs] and --sweep change it."
        yield Explanation(name, "cost", text, cost.source)


def properties_called(ident: str) -> Iterator[Explanation]:
    """A property: its rule, and the seeded mistakes that break it."""
    if ident not in IDENTS:
        return
    broken = [one.ident for one in mistakes().values() if ident in one.fails]
    rule = rule_of(ident)
    text = (
        f"{rule[:1].upper()}{rule[1:]}. `uffdviz check SCENARIO --property {ident}` looks for it."
    )
    if broken:
        text += f" Mutations that break it: {', '.join(broken)}."
    yield Explanation(ident, "property", text, judged_in(ident))


def mutations_called(ident: str) -> Iterator[Explanation]:
    """A seeded mistake: what it changes, what breaks by it, where, and how to see it."""
    if one := mistakes().get(ident):
        yield Explanation(ident, "mutation", mutation_text(one), source_of(one))


def mutation_text(one: Mistake) -> str:
    """All that the record of a mistake says."""
    said = [f"A change that is put into a kernel: {one.change.rstrip('.')}."]
    said.append(
        f"Breaks {', '.join(one.fails)}." if one.fails else "Harmless: nothing breaks by it."
    )
    if one.why:
        said.append(f"{one.why[:1].upper()}{one.why[1:].rstrip('.')}.")
    said.append(f"Eras: {', '.join(one.eras)}.")
    said.append(f"See `uffdviz check {one.scenario} --era {one.eras[0]} --mutate {one.ident}`.")
    return " ".join(said)


def source_of(one: Mistake) -> str:
    """The functions that read differently."""
    names = dict.fromkeys([*(e.function for e in one.edits), *(name for name, _ in one.functions)])
    return f"docs/mistakes.md; {', '.join(f'{name}()' for name in names)}"


@cache
def era_names() -> dict[str, str]:
    """Every name of an era, and the era's own."""
    names = {cls.era: cls.era for cls in eras().values()}
    for cls in eras().values():
        names |= dict.fromkeys(vars(cls).get("aliases", ()), cls.era)
    return names


def eras_called(name: str) -> Iterator[Explanation]:
    """An era by its name; another name says whose it is."""
    own = era_names().get(name)
    if own is None:
        return
    cls = eras()[own]
    module = sys.modules[cls.__module__].__doc__ or ""
    head = " ".join(module.partition("\n\n")[0].split()).removeprefix(f"{own}: ")
    text = f"{head[:1].upper()}{head[1:]} {' '.join((cls.__doc__ or '').split())}"
    if own != name:
        text = f"Another name of {own}. {text}"
    yield Explanation(name, "era", text, "docs/model.md")


def functions_called(name: str, era: str = "") -> Iterator[Explanation]:
    """A function of the model by its kernel name, or as events call it."""
    found = catalogue().get(name) or [
        f for functions in catalogue().values() for f in functions if f.printed == name
    ]
    for f in newest_first(found, era):
        one = of_function(f)
        place = "" if f.name == name else f", in the place of {one.word}"
        yield msgspec.structs.replace(one, word=f"{name}(){place}")


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


def steps_called(label: str, era: str = "") -> Iterator[Explanation]:
    """Where a numbered step of the reference is done."""
    found = [f for functions in catalogue().values() for f in functions if label in f.steps]
    for f in newest_first(found, era):
        text = f"A step of {f.name}(): {f.summary} Eras: {', '.join(f.eras)}."
        yield Explanation(label, "step", text, f.kernel)


def newest_first(found: "list[Function] | tuple[Function, ...]", era: str) -> list[Function]:
    """Functions in the order of the newest release that has them, those of revisions alone last.

    With an era, only those that it has; all if it has none of them.
    """
    releases = [name for name in eras() if not name.startswith("series")]
    mine = [f for f in found if era in f.eras]
    return sorted(
        mine or found,
        key=lambda f: (
            -max((releases.index(name) for name in f.eras if name in releases), default=-1)
        ),
    )
