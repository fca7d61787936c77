"""What each step costs, in virtual nanoseconds: the shipped table, and a scenario's changes to it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from uffdviz.errors import near_miss
from uffdviz.light import msgspec
from uffdviz.run.scenario import Natural, wrong


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: nanoseconds, between which limits that is plausible, and who says so."""

    ns: Natural
    range: tuple[int, int]
    source: str


@cache
def shipped_costs() -> dict[str, Cost]:
    """The table that comes with the program."""
    text = files("uffdviz.run").joinpath("costs.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Cost])


def cost_table(changes: Mapping[str, int]) -> dict[str, int]:
    """The shipped costs, with a scenario's own in their place.

    Raises: ScenarioError for a name that no step has.
    """
    table = {name: cost.ns for name, cost in shipped_costs().items()}
    for name, ns in changes.items():
        if name not in table:
            hint = near_miss(name, table) or f"; costs are {', '.join(table)}"
            msg = f"costs: no step costs {name!r}{hint}"
            raise wrong(msg)
        table[name] = ns
    return table


@cache
def shipped_sets() -> dict[str, str]:
    """The other tables that come with the program, as text, by name: costs_NAME.toml."""
    found = {}
    for file in files("uffdviz.run").iterdir():
        if file.name.startswith("costs_") and file.name.endswith(".toml"):
            name = file.name.removeprefix("costs_").removesuffix(".toml")
            found[name] = file.read_text(encoding="utf-8")
    return dict(sorted(found.items()))
