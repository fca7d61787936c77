"""A goal of a lesson: a run towards it that is judged, or a question that the search answers."""

from collections.abc import Iterator
from typing import ClassVar, Final

from uffdviz.course.guide import Judged
from uffdviz.plain.beside import asked
from uffdviz.plain.hearing import Command, Commands, Hearing
from uffdviz.plain.page import goal_lines
from uffdviz.plain.talk import COMMANDS, Talk

ESC: Final = "esc: Back to the page. q: Quit."
CLAIM: Final = "You say that this can be broken. Show the order: schedule the tasks until it is."
PROVE: Final = ("Let the search look at every order", "I can break it: let me schedule it")
TITLES: Final = {"fix": "Which one is right?", "prove": "Does it hold in every order?"}


def attempt(page: Talk, index: int, *, claim: bool = False) -> Iterator[str]:
    """Begin a run towards a goal, or go on with the one that was left."""
    kept = page.reading.attempts
    known = kept.get((index, claim))
    run = kept[index, claim] = known or Attempt(page, index, claim=claim)
    page.above = run
    if known is None or not run.session.length:
        yield from run.begin()
    else:
        yield f"{run.session.title}. This run goes on where you left it: r begins again."
        yield from run.again()


class Attempt(Talk):
    """A run of the learner's own; `claim`: it is to show that what is to be proved is not so."""

    after: ClassVar[tuple[str, ...]] = (*Talk.after[:1], ESC)

    def __init__(self, page: Talk, index: int, *, claim: bool) -> None:
        guide = page.reading.guide
        assert guide is not None
        super().__init__(page.shelf, page.shelf.open_goal(guide.lesson.path, index))
        self.page = page
        self.guide = guide
        self.index = index
        self.claim = claim
        self.right = False
        self.given = 0
        self.judged_at: tuple[str, ...] | None = None

    def begin(self) -> Iterator[str]:
        """Say what is asked for, and then how everything stands."""
        yield from goal_lines(self.guide.goal(self.index))
        yield from [CLAIM] if self.claim else []
        yield from super().begin()

    def noticed(self) -> Iterator[str]:
        """Judge the run if it is another one."""
        made = self.taken()
        if made == self.judged_at:
            return
        self.judged_at = made
        over = bool(made) and not self.session.choices()
        if self.claim:
            yield from self.claimed(made) if over else ()
            return
        judged = self.guide.attempt(self.index, made)
        self.right = judged.right
        if judged.right:
            yield f"The goal is {judged.text}."
            easiest = self.guide.easiest(self.index)
            yield from [f"{easiest[:1].upper()}{easiest[1:]}."] if easiest else []
            yield from self.reached()
        elif over:
            yield "The run is over without it: p goes back, r begins again."

    def claimed(self, made: tuple[str, ...]) -> Iterator[str]:
        """Say whether a run that is over shows what the learner claims."""
        judged = self.guide.claim(self.index, made)
        self.right = judged.right
        yield f"{judged.text[:1].upper()}{judged.text[1:]}."
        if judged.right:
            yield from self.reached()
        else:
            yield "p goes back, and you can try another; esc, and let the search look."

    def reached(self) -> Iterator[str]:
        """Say why it is so, and how to go on."""
        why = " ".join(self.guide.goal(self.index).why.split())
        yield from [why] if why else []
        yield "goal goes back to the page."

    @property
    def waits(self) -> bool:
        """Whether a run that goes on by itself is to stop."""
        return self.right or super().waits

    def hint(self, _: str) -> Iterator[str]:
        """Another hint for the goal; the last one comes from where you stand."""
        if self.claim:
            yield "esc, then goal: the search looks at every order."
            return
        tiers = self.guide.tiers(self.index)
        self.given = min(self.given + 1, tiers)
        if self.given == tiers:
            yield "The search looks for a way from here."
        yield f"Hint {self.given}: {self.guide.hint(self.index, self.given, self.taken())}"

    def goal(self, _: str) -> Iterator[str]:
        """Back to the page once the goal is reached."""
        if self.right:
            yield from self.page.take_away()
        else:
            yield "Not reached yet: h gives a hint, esc goes back to the page."


NO_PAGE: Final = frozenset({"b", "B", "a", "page", "reload"})
Attempt.commands = {
    **{word: command for word, command in COMMANDS.items() if word not in NO_PAGE},
    "h": Command(Attempt.hint),
    "goal": Command(Attempt.goal),
}


class Judging(Hearing):
    """A question that the search answers: which choice is right, or does it hold in every order."""

    before: ClassVar[tuple[str, ...]] = ("A number: Choose.",)
    after: ClassVar[tuple[str, ...]] = (ESC,)

    def __init__(self, page: Talk, index: int) -> None:
        guide = page.reading.guide
        assert guide is not None
        self.page = page
        self.guide = guide
        self.index = index
        self.goal = guide.goal(index)
        self.given = 0

    @property
    def choices(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return tuple(choice.text for choice in self.goal.choices) or PROVE

    def begin(self) -> Iterator[str]:
        """Say the question and the choices."""
        yield TITLES[self.goal.kind]
        yield from goal_lines(self.goal)
        if not self.goal.choices:
            yield from (f"  {number}. {text}" for number, text in enumerate(PROVE, 1))
        yield "A number chooses; h gives a hint; esc goes back to the page."

    def answer(self, line: str) -> Iterator[str]:
        """Answer a line; a number is a choice."""
        if not line.isdecimal():
            yield from super().answer(line)
        elif not 1 <= int(line) <= len(self.choices):
            yield f"There is no choice {line}; choices are 1 to {len(self.choices)}."
        elif self.goal.kind == "prove" and int(line) == 2:
            yield from attempt(self.page, self.index, claim=True)
        else:
            yield from self.choose(int(line))

    def choose(self, number: int) -> Iterator[str]:
        """Let the search judge a choice, or the claim."""
        guide, index = self.guide, self.index
        if self.goal.kind == "prove":
            judged = yield from asked(lambda tick: guide.prove(index, tick))
        else:
            judged = yield from asked(lambda tick: guide.choose(index, number, tick))
        yield self.verdict(number, judged)
        if judged.right:
            yield from [" ".join(self.goal.why.split())] if self.goal.why else []
            yield from self.page.take_away()
        else:
            yield "Try another."

    def verdict(self, number: int, judged: Judged) -> str:
        """The verdict in words."""
        what = "proved" if self.goal.kind == "prove" else f"{number} is right"
        wrong = "not proved" if self.goal.kind == "prove" else f"{number} is not right"
        said = what if judged.right else wrong
        return f"{said[:1].upper()}{said[1:]}: {judged.text.removesuffix('.')}."

    def hint(self, _: str) -> Iterator[str]:
        """Another hint."""
        self.given += 1
        if self.given > self.guide.tiers(self.index):
            yield "There is no further hint."
        else:
            yield f"Hint {self.given}: {self.guide.hint(self.index, self.given)}"


JUDGING: Final[Commands] = {
    "h": Command(Judging.hint),
    "?": Command(Judging.help),
    "help": Command(Judging.help),
}
Judging.commands = JUDGING
