"""Eras with a mistake put into them: a seeded one by its id, or functions from somebody's file.

A mistake is a record: which lines of which kernel functions read differently, or which function is
another one. The function is compiled anew from its own source, with its lines where they were.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, Final

from uffdviz.errors import ModelError, UsageError, near_miss
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.labels import kernel_name
from uffdviz.light import msgspec

MODULES: Final = (
    "locks",
    "events",
    "copying",
    "faults",
    "pages",
    "sleeping",
    "further",
    "contexts",
    "mappings",
    "moving",
    "protecting",
    "registering",
    "layout",
    "benign",
)
VOCABULARY: Final = (
    "errno",
    "memory",
    "vma_tree",
    "steps",
    "queues",
    "locks.word",
    "objects",
    "mistakes.effects",
)
MAX_SIZE: Final = 1 << 20
Functions = Mapping[str, Callable[..., Any]]


class Edit(msgspec.Struct, frozen=True):
    """Lines of one kernel function that read differently."""

    function: str
    old: str
    new: str = ""


class Mistake(msgspec.Struct, frozen=True):
    """A seeded mistake: what is changed, which property must fail, in which eras, and where.

    `scenario` shows it. Edits that do not fit an era's function are skipped if another era's fit:
    `edits` may hold the same change in the words of several eras. `functions` replace whole ones.
    A benign one must not be reported.
    """

    ident: str
    change: str
    fails: tuple[str, ...]
    eras: tuple[str, ...]
    scenario: str
    edits: tuple[Edit, ...] = ()
    functions: tuple[tuple[str, Callable[..., Any]], ...] = ()
    why: str = ""

    @property
    def benign(self) -> bool:
        """Whether nothing breaks by it."""
        return not self.fails


@cache
def mistakes() -> dict[str, Mistake]:
    """Every seeded mistake by its id."""
    found: list[Mistake] = []
    for name in MODULES:
        found += import_module(f"uffdviz.kernel.mistakes.{name}").MISTAKES
    return {mistake.ident: mistake for mistake in found}


def mutated(era: type[Kernel], idents: Sequence[str]) -> type[Kernel]:
    """An era with mistakes put into it, one after the other.

    Raises: UsageError for one that is not known, makes no sense in this era, or not with those
    before it.
    """
    as_it_was = era
    for ident in idents:
        if ident.endswith(".py"):
            era = with_functions(era, Path(ident).stem, load_functions(Path(ident), era))
            continue
        mistake = find_mistake(ident)
        alone, functions = changes(as_it_was, mistake), changes(era, mistake)
        if not alone:
            msg = f"mutation {ident} fits no function of {era.era}"
            raise ModelError(msg)
        if alone.keys() != functions.keys():
            gone = ", ".join(f"{name}()" for name, _ in sorted(alone.keys() ^ functions.keys()))
            msg = (
                f"mutation {ident} does not go with those before it: {gone} is another one already"
            )
            raise UsageError(msg)
        era = with_functions(era, ident, {name: fn for (name, _), fn in functions.items()})
    return era


def find_mistake(ident: str) -> Mistake:
    """The seeded mistake of that id.

    Raises: UsageError with the nearest id.
    """
    known = mistakes()
    if ident.upper() not in known:
        first, *_, last = known
        hint = near_miss(ident.upper(), known) or f"; they are {first} to {last}, with gaps"
        msg = f"no mutation {ident[:60]!r}{hint}, or a file of functions, FILE.py"
        raise UsageError(msg)
    return known[ident.upper()]


def changes(era: type[Kernel], mistake: Mistake) -> dict[tuple[str, int], Callable[..., Any]]:
    """What a seeded mistake makes of an era's functions, edit by edit; the last of a name counts.

    Raises: UsageError if it makes no sense there.
    """
    name = era.era
    allowed = (*mistake.eras, *(SERIES if "v6.9" in mistake.eras else ()))
    if name not in allowed:
        msg = f"mutation {mistake.ident} makes no sense in {name}; it does in {', '.join(mistake.eras)}"
        raise UsageError(msg)
    latest: dict[str, Callable[..., Any]] = dict(mistake.functions)
    found = {(name, -1): fn for name, fn in latest.items()}
    for number, edit in enumerate(mistake.edits):
        fn = latest.get(edit.function) or original(era, edit.function)
        if fn is not None and edit.old in source_of(fn):
            latest[edit.function] = found[edit.function, number] = edited(fn, edit)
    return found


SERIES: Final = tuple(f"series-v{n}" for n in range(2, 7))


def with_functions(era: type[Kernel], name: str, functions: Functions) -> type[Kernel]:
    """An era in which some functions are others."""
    return type(f"{era.__name__}_{name}", (era,), dict(functions))


def original(era: type[Kernel], name: str) -> FunctionType | None:
    """The function that does a job in an era, as it was written."""
    fn = getattr(era, name, None)
    return None if fn is None else inspect.unwrap(fn)


def source_of(fn: Callable[..., Any]) -> str:
    """The source of a function, also of one that was compiled by `edited`."""
    made: str | None = getattr(fn, "edited_source", None)
    return made if made is not None else inspect.getsource(fn)


def edited(fn: Any, edit: Edit) -> Callable[..., Any]:
    """Compile a function anew with other lines; whoever looks for line numbers finds the old ones."""
    source = source_of(fn).replace(edit.old, edit.new, 1)
    names = {key: value for word in VOCABULARY for key, value in vocabulary(word).items()}
    names.update(fn.__globals__)
    first = fn.__code__.co_firstlineno
    code = compile("\n" * (first - 1) + source, fn.__code__.co_filename, "exec", dont_inherit=True)
    exec(code, names)
    made: Any = names[fn.__name__]
    made.edited_source = source
    if hasattr(fn, "primitive"):
        made.primitive = True
    result: Callable[..., Any] = made
    return result


def vocabulary(name: str) -> dict[str, Any]:
    """What a changed line may use besides the names of its own module."""
    module = vars(import_module(f"uffdviz.kernel.{name}"))
    return {key: value for key, value in module.items() if not key.startswith("_")}


def load_functions(path: Path, era: type[Kernel]) -> Functions:
    """Run a file of functions, and pick those that replace kernel functions of an era.

    A function goes by its name in the table of the era or by the name that the kernel had for it
    then. Whose name begins with `_` is a helper of the file's own.

    Raises: UsageError if it cannot be read, names no kernel function, or one that is called
    otherwise.
    """
    names = run_file(path)
    check_eras(path, names.get("ERAS"), era)
    own = {
        name: value
        for name, value in names.items()
        if inspect.isfunction(value) and value.__module__ == str(path) and not name.startswith("_")
    }
    functions: dict[str, Callable[..., Any]] = {}
    for name, fn in own.items():
        jobs = jobs_of(era, name)
        if inspect.iscoroutinefunction(fn):
            if not jobs:
                near = near_miss(name, dir(era))
                msg = f"{path}: {name}() is no kernel function of {era.era}{near}; begin a helper's name with _"
                raise UsageError(msg)
            functions |= {job: fitting(path, fn, era, job) for job in jobs}
        elif jobs:
            here = "has a 'yield'" if inspect.isasyncgenfunction(fn) else "is 'def'"
            msg = f"{path}: {name}() is 'async def' in the kernel's table, and here it {here}"
            raise UsageError(msg)
    if not functions:
        msg = f"{path}: no 'async def' at the top that could replace a kernel function"
        raise UsageError(msg)
    return functions


def check_eras(path: Path, wanted: Any, era: type[Kernel]) -> None:
    """Refuse an era that a file was not made for.

    Raises: UsageError.
    """
    if wanted is not None and (isinstance(wanted, str) or not isinstance(wanted, Sequence)):
        msg = f'{path}: ERAS is {wanted!r}; write a list, as in ERAS = ["v6.9", "v6.12"]'
        raise UsageError(msg)
    if wanted is not None and era.era not in wanted:
        msg = f"{path}: makes no sense in {era.era}; its ERAS are {', '.join(map(str, wanted))}"
        raise UsageError(msg)


def jobs_of(era: type[Kernel], name: str) -> tuple[str, ...]:
    """Find what a function of that name does in an era: its own job, or those it is called for."""
    if inspect.iscoroutinefunction(original(era, name)):
        return (name,)
    table = {job: original(era, job) for job in dir(era) if not job.startswith("_")}
    return tuple(
        job
        for job, fn in table.items()
        if inspect.iscoroutinefunction(fn) and name in {fn.__name__, kernel_name(fn.__name__)}
    )


def fitting(path: Path, fn: FunctionType, era: type[Kernel], job: str) -> FunctionType:
    """Make a function ready to do a job that is called as the era's is called.

    Raises: UsageError if it cannot be called so.
    """
    old = original(era, job)
    assert old is not None
    wanted, given = inspect.signature(old), inspect.signature(fn)
    shape = [p for p in wanted.parameters.values() if p.kind is not p.VAR_KEYWORD]
    try:
        given.bind(
            *(None for p in shape if p.kind is p.POSITIONAL_OR_KEYWORD),
            **{p.name: None for p in shape if p.kind is p.KEYWORD_ONLY},
        )
    except TypeError:
        said = f"{fn.__name__}({', '.join(given.parameters)})"
        msg = f"{path}: {said} takes ({', '.join(wanted.parameters)}) in {era.era}"
        raise UsageError(msg) from None
    if hasattr(old, "primitive"):
        fn.primitive = True  # type: ignore[attr-defined]
    return fn


def run_file(path: Path) -> dict[str, Any]:
    """Run a Python file, after saying so. Returns: its names.

    Raises: UsageError.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or 'not text'}".lower()
        raise UsageError(msg) from None
    sys.stderr.write(f"uffdviz: {path} is code, and is run now\n")
    names: dict[str, Any] = {"__name__": str(path), "__file__": str(path)}
    names["print"] = partial(print, file=sys.stderr)  # stdout is for the answer
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), names)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever somebody's code does wrong
        msg = f"{path}: {type(error).__name__}: {error}"
        raise UsageError(msg) from None
    return names
