"""A scenario, an era and its mutations, found by name and put together for a run."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from uffdviz.errors import UsageError
from uffdviz.kernel.eras.registry import era as find_era
from uffdviz.kernel.kernel import Kernel
from uffdviz.run.machine import Machine
from uffdviz.run.read_scenario import load_scenario, scenario_of
from uffdviz.run.scenario import Scenario
from uffdviz.run.setting import Setting
from uffdviz.trace.events import Event
from uffdviz.trace.recording import Header


class Prepared:
    """A setting that knows how it was asked for.

    Raises: ScenarioError, UsageError.
    """

    def __init__(
        self, scenario: Scenario, name: str, era: str = "", mutations: Sequence[str] = ()
    ) -> None:
        self.scenario = scenario
        self.name = name
        self.mutations = tuple(dict.fromkeys((*scenario.mutate.ids, *mutations)))
        plain = find_era(era or scenario.era)
        self.era = plain.era
        self.setting = Setting(scenario, mutated(plain, self.mutations))

    def machine(self) -> Machine:
        """A machine at the start of the run."""
        return self.setting.machine()

    @property
    def background(self) -> frozenset[str]:
        """The tasks that need not come to an end."""
        return self.setting.background

    def unmet(self, returns: Mapping[str, Sequence[int | str]]) -> list[str]:
        """Say which calls returned something else than the scenario says."""
        lines = []
        for task, results in returns.items():
            calls = self.setting.tables[task].calls
            for at, result in enumerate(results):
                wanted = calls[at % len(calls)].returns
                if wanted is not None and wanted != result:
                    lines.append(f"{task}, call {at + 1}: returned {result}, expected {wanted}")
        return lines

    def header(
        self, events: Sequence[Event], *, seed: int | None = None, scheduler: str = ""
    ) -> Header:
        """Say what a run began with, and every choice in it."""
        return Header(
            scenario=msgspec.to_builtins(self.scenario),
            name=self.name,
            era=self.era,
            mutations=self.mutations,
            schedule=tuple(event.choice for event in events),
            seed=seed,
            scheduler=scheduler,
        )


def prepare(scenario: str, era: str = "", mutations: Sequence[str] = ()) -> Prepared:
    """Put together a scenario by path or name."""
    return Prepared(load_scenario(scenario), Path(scenario).stem, era, mutations)


def prepare_recorded(head: Header) -> Prepared:
    """Put together what a recording began with."""
    return Prepared(scenario_of(head.scenario, "scenario"), head.name, head.era, head.mutations)


def mutated(era: type[Kernel], mutations: Sequence[str]) -> type[Kernel]:
    """Put mistakes into an era."""
    if not mutations:
        return era
    if find_spec("uffdviz.run.mutate") is None:
        msg = f"no mutation {mutations[0]!r}: none are known"
        raise UsageError(msg)
    from uffdviz.run.mutate import mutate

    return mutate(era, mutations)
