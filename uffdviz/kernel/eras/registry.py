"""Finding an era by its name: every module of this folder may hold some."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Final

from uffdviz.errors import UsageError, near_miss
from uffdviz.kernel.kernel import Kernel

PACKAGE: Final = "uffdviz.kernel.eras"


@cache
def eras() -> dict[str, type[Kernel]]:
    """Every era by its name, kernels in order of release, then the revisions of the series."""
    found: list[type[Kernel]] = []
    for module in pkgutil.iter_modules(import_module(PACKAGE).__path__, f"{PACKAGE}."):
        for value in vars(import_module(module.name)).values():
            own = isinstance(value, type) and value.__module__ == module.name
            if own and issubclass(value, Kernel) and value.era:
                found.append(value)
    return {cls.era: cls for cls in sorted(found, key=_order)}


def era(name: str) -> type[Kernel]:
    """The era of that name; a revision that differs by nothing has another's.

    Raises: UsageError, with a near miss.
    """
    known = dict(eras())
    for cls in eras().values():
        known |= dict.fromkeys(vars(cls).get("aliases", ()), cls)  # not those of its base
    if name not in known:
        hint = near_miss(name, known) or f"; eras are {', '.join(eras())}"
        message = f"no era {name!r}{hint}"
        raise UsageError(message)
    return known[name]


def _order(cls: type[Kernel]) -> tuple[bool, tuple[int, ...]]:
    digits = tuple(int(part) for part in cls.era.rpartition("v")[2].split("."))
    return cls.era.startswith("series"), digits
