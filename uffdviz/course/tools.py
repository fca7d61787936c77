"""What the screen can ask beside a run: the search, the oracle, another era, an explanation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from uffdviz.course.facts import VIOLATES, read_fact
from uffdviz.course.reach import seek
from uffdviz.course.words import explain
from uffdviz.errors import UffdvizError
from uffdviz.kernel.eras.registry import era as find_era
from uffdviz.kernel.eras.registry import eras
from uffdviz.run.ahead import Ahead, Found, look_ahead
from uffdviz.run.explore import Tick
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.lean import Lean
from uffdviz.run.measure import follows_time
from uffdviz.run.oracle import Oracle
from uffdviz.run.race import MOST as SHORT
from uffdviz.run.race import Race, race
from uffdviz.run.workload import Workload, workload_of
from uffdviz.trace.landmark import holds_now
from uffdviz.trace.snapshot import History

if TYPE_CHECKING:
    from uffdviz.run.session import RunSession
    from uffdviz.run.setting import Setting

MOST: Final = 1_000_000


class RunTools:
    """Asks about one session. Every method may be called in a thread of its own."""

    def __init__(self, session: "RunSession", setting: "Setting") -> None:
        self._session = session
        self._setting = setting
        self._long: bool | None = None

    def oracle(self, tick: Tick) -> Oracle:
        """Make the oracle."""
        return Oracle(self._setting, tick=tick)

    def ahead(self, tick: Tick) -> Found:
        """Search from where the run is."""
        session = self._session
        return look_ahead(self._setting, tuple(session.events), session.n, MOST, tick)

    def find(self, words: str, tick: Tick) -> Found:
        """Find the easiest way to a landmark, `TASK LANDMARK`."""
        session = self._session
        taken = tuple(event.choice for event in session.events[: session.n])
        try:
            if self._is_so(words):
                return Found((), 0, finished=True, why=f"It is so already: {words}.")
            found = seek(self._setting, words, taken, tick)
        except UffdvizError as error:
            return Found((), 0, finished=False, why=str(error))
        except StopIteration:
            return Found((), 0, finished=False, why="the search does not know a move of this run")
        way = found.way
        ahead = () if way is None else (Ahead("", words, way.schedule, way.choices),)
        return Found(ahead, found.states, found.finished)

    def _is_so(self, words: str) -> bool:
        """Whether a task holds, waits or sleeps now as is asked for; a schedule stops at once there."""
        if words.startswith(VIOLATES):
            return False
        fact = read_fact(words, self._setting)
        if fact.landmark is None:
            return False
        events = list(self._session.events[: self._session.n])
        now = History(self._setting.initial_snapshot(), events).last
        return holds_now(fact.landmark, now.tasks[fact.task], now)

    def schedule(self, words: str) -> Sequence[str]:
        """Read a schedule in words, for the run as it is now. Returns: its choices.

        Raises: UffdvizError if it cannot be read or followed.
        """
        session = self._session
        run = Interleaving(self._setting)
        run.follow([event.choice for event in session.events[: session.n]])
        run.play(words)
        return tuple(run.choices[session.n :])

    def race(self, era: str, choices: Sequence[str], tick: Tick) -> Race:
        """Run the same choices under another era, too."""
        return race(self._setting, era, choices, tick)

    def workload(self, era: str) -> Workload | None:
        """The same scenario beside another era, if it is too long to be looked at event by event."""
        if self._long is None:
            self._long = is_long(self._setting)
        return self.rivals(era) if self._long else None

    def rivals(self, era: str) -> Workload:
        """The same scenario beside another era, from its beginning and by time alone.

        Raises: UsageError.
        """
        _ = find_era(era)
        return workload_of(self._setting, era, list(eras()))

    def explain(self, word: str) -> Sequence[tuple[str, str, str]]:
        """What a word means in this run's era: the word, a paragraph, its source."""
        found = explain(word, self._session.era)
        return [(one.word, one.text, one.source) for one in found]


def is_long(setting: "Setting") -> bool:
    """Whether a run by time alone has more steps than can be looked at event by event.

    Only scenarios that count processors are workloads: no other is tried.
    """
    if not setting.scenario.cpus or not follows_time(setting):
        return False
    return not Lean(setting).run(SHORT)
