"""Files of costs, for `--costs`: every row as in the shipped table."""

import tomllib
from pathlib import Path

from uffdviz.errors import ScenarioError, UsageError, near_miss
from uffdviz.light import msgspec
from uffdviz.run.costs import Cost, cost_table, shipped_sets
from uffdviz.run.read_scenario import refuse


def cost_changes(name: str) -> dict[str, int]:
    """Read a file of costs: the path of one, or the name of a shipped one such as `qemu`.

    Raises: UsageError, ScenarioError.
    """
    if name in shipped_sets():
        return costs_of(shipped_sets()[name], name)
    path = Path(name)
    if not path.is_file():
        msg = f"costs {name!r}: no such file; shipped ones are {', '.join(shipped_sets())}{near_miss(name, shipped_sets())}"
        raise UsageError(msg)
    try:
        text = path.read_text(encoding="utf-8")
        return costs_of(text, path.name)
    except ValueError as error:
        msg = f"{path.name}: {error}"
        raise ScenarioError(msg) from None


def costs_of(text: str, file: str) -> dict[str, int]:
    """Read a table of costs that replaces rows of the shipped one; `file` is what messages call it.

    Raises: ScenarioError with file, cost, key, value and what would be right.
    """
    changes = {}
    for name, row in tomllib.loads(text).items():
        try:
            cost_table({name: 0})
        except ScenarioError as error:
            msg = f"{file}: {error}"
            raise ScenarioError(msg) from None
        try:
            changes[name] = msgspec.convert(row, Cost).ns
        except msgspec.ValidationError as error:
            refuse(f"{file}: {name}", row, str(error), Cost)
    return changes
