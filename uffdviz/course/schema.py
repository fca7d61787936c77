"""What a lesson is, once it is read: prose and blocks, in the order of the page."""

from typing import Literal

from uffdviz.light import msgspec


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Anything on the page; `line` is where it begins in the file, counted from 1."""

    line: int = 0


class Prose(Block, frozen=True, kw_only=True):
    """Markdown between the blocks: the narration."""

    text: str


class Shown(Block, frozen=True, kw_only=True):
    """A fence that is only shown (`text`, `c`, `toml`)."""

    kind: str
    text: str


class Play(Block, frozen=True, kw_only=True):
    """A piece of schedule in words."""

    schedule: str


class Expect(Block, frozen=True, kw_only=True):
    """Facts that must hold now: one `TASK LANDMARK` a line, or `deadlock`."""

    facts: tuple[str, ...]
    lines: tuple[int, ...] = ()


class Predict(Block, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question asked before the next play block; `fact` is what that block makes true.

    `answer` counts the choices from 1.
    """

    ask: str
    choices: tuple[str, ...]
    answer: int
    why: str
    fact: str


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hint; where it states a fact, `fact` is that fact as `TASK LANDMARK`."""

    text: str
    fact: str = ""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the ways offered by a `fix` goal: what it says, and the model that it stands for."""

    text: str
    era: str = ""
    mutate: tuple[str, ...] = ()


class Goal(Block, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something for the learner to reach.

    kind `break`: `reach` (`TASK LANDMARK`, `deadlock`, or `violates ID`) by a schedule.
    kind `fix`: choose among `choices` the one under which the search finds nothing.
    kind `prove`: the search finds nothing for `property` (all if empty).
    `era`, `scenario` and `mutate` replace the lesson's. `switches` is the par: the fewest.
    """

    kind: Literal["break", "fix", "prove"]
    text: str = ""
    reach: str = ""
    era: str = ""
    scenario: str = ""
    mutate: tuple[str, ...] = ()
    property: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    hints: tuple[Hint | str, ...] = ()
    solution: str = ""
    answer: int = 0
    why: str = ""
    switches: int | None = None


class Check(Block, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verdict that the search must give."""

    verdict: Literal["holds", "violated"]
    era: str = ""
    scenario: str = ""
    mutate: tuple[str, ...] = ()
    property: tuple[str, ...] = ()
    finds: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure of the totals as a range, or as a ratio between two eras (`"v6.8/v6.9"`).

    `of` is `wall`, `LOCK MODE acquisitions`, `LOCK MODE contentions`, `LOCK MODE wait`,
    `LOCK MODE hold` or `TASK uninterruptible`.
    """

    of: str
    ratio: str = ""
    at_least: float | None = None
    at_most: float | None = None


class Totals(Block, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures that must hold for the run so far, or for `era` in timed order if that is given."""

    figures: tuple[Figure, ...]
    era: str = ""


AnyBlock = Prose | Shown | Play | Expect | Predict | Goal | Check | Totals


class Front(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands between the `+++` lines. `say`: what one should be able to say afterwards."""

    title: str
    scenario: str
    era: str
    minutes: int = 3
    say: tuple[str, ...] = ()
    mutate: tuple[str, ...] = ()


class Lesson(msgspec.Struct, frozen=True):
    """A page of the course."""

    name: str
    path: str
    chapter: str
    front: Front
    blocks: tuple[AnyBlock, ...]

    @property
    def title(self) -> str:
        """The title on the page."""
        return self.front.title
