"""A recording as a pytest file: the scenario, the schedule, and what came of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit

from uffdviz.trace.recording import Header

TEMPLATE = '''\
"""{title}

Made by `uffdviz export --to pytest`; it needs nothing but uffdviz.
"""

from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import parse_scenario
from uffdviz.run.setting import Setting
from uffdviz.trace.standstill import standstill

SCENARIO = """
{scenario}"""
SCHEDULE = """
{schedule}
"""


def test_{name}() -> None:
    setting = Setting(parse_scenario(SCENARIO, "{name}"), "{era}", {mutations!r})
    run = Interleaving(setting)
    run.play(SCHEDULE)
    assert run.events[-1].sentence == {last!r}
    assert run.returns == {returns!r}
    stopped = not run.machine.choices()
    assert (stopped and standstill(run.now, setting.background) is not None) is {deadlock!r}
'''


def pytest_file(
    header: Header,
    report: Mapping[str, Any],
    returns: Mapping[str, Sequence[str]],
    last: str,
) -> str:
    """Write a test that plays the same choices and expects the same end."""
    name = "".join(c if c.isalnum() else "_" for c in header.name or "recording")
    title = str(header.scenario.get("title", header.name))
    return TEMPLATE.format(
        title=title.replace("\\", "/").replace('"', "'"),
        scenario=tomlkit.dumps(header.scenario).replace("\\", "\\\\").replace('"""', '\\"""'),
        schedule="\n".join(report["schedule"]),
        name=name,
        era=header.era,
        mutations=tuple(header.mutations),
        last=last,
        returns={name: list(results) for name, results in returns.items()},
        deadlock=report["deadlock"] is not None,
    )
