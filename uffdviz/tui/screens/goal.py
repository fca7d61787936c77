"""A run towards a goal: after each step it is judged; hints come by a key."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from uffdviz.tui.beside import Beside
from uffdviz.tui.goals import Guide, Tried
from uffdviz.tui.screens.asking import AskingScreen
from uffdviz.tui.screens.layout import LECTURE_GOAL, Band
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.view import View

AGAIN = "this run goes on where you left it: r begins again"
OVER = "The run is over without it: ← goes back, r begins again."


@dataclass
class Attempt:
    """A run towards a goal that may be left and gone on with, and the hints that were given."""

    session: Session
    hints: tuple[str, ...] = ()


class GoalScreen(AskingScreen):
    """A run of the learner's own; `claim`: it is to show that what is to be proved is not so."""

    def __init__(  # noqa: PLR0913
        self,
        attempt: Attempt,
        shelf: Shelf,
        one_run: asyncio.Lock,
        guide: Guide,
        index: int,
        *,
        claim: bool = False,
    ) -> None:
        super().__init__(attempt.session, shelf, one_run)
        self.attempt = attempt
        self.guide = guide
        self.index = index
        tiers, best = guide.tiers(index), guide.best(index)
        goal, hints = guide.goal(index), attempt.hints
        self.tried = Tried(goal, hints, tiers=tiers, best=best, claim=claim)
        self.note = AGAIN if attempt.session.length else ""
        self.judged_at: list[str] | None = None
        self.search: Beside[str] | None = None

    @property
    def has_page(self) -> bool:
        """The goal can be read."""
        return True

    @property
    def lecture_bands(self) -> tuple[Band, ...]:
        """The goal stays in sight."""
        return LECTURE_GOAL

    async def on_unmount(self) -> None:
        """Leave no thread behind, and keep what was said."""
        self.attempt.hints = self.tried.hints
        if self.search is not None:
            self.search.leave()

    def made(self) -> list[str]:
        """The choices of the run as far as it is shown."""
        return [event.choice for event in self.session.events[: self.session.n]]

    def refresh_view(self) -> None:
        """Judge the run if it is another one, and draw what is so now."""
        made = self.made()
        if made != self.judged_at:
            self.judged_at = made
            self.judge(made)
        super().refresh_view()

    def view(self) -> View:
        """What there is to be drawn, with the goal."""
        return replace(super().view(), tried=self.tried)

    def judge(self, made: list[str]) -> None:
        """See whether the run has come to the goal."""
        over = bool(made) and not self.session.choices()
        if self.tried.claim:
            self.judge_claim(made, over=over)
            return
        judged = self.guide.attempt(self.index, made)
        if judged.right:
            best = self.guide.best(self.index)
            self.tried = replace(self.tried, said=judged.text, right=True, best=best)
            self.note = f"the goal is {judged.text}"
            self.ask_beside(partial(self.guide.easiest, self.index), "easiest")
        else:
            self.tried = replace(self.tried, said=OVER if over else "", right=False)
            self.note = self.note or self.tried.said

    def judge_claim(self, made: list[str], *, over: bool) -> None:
        """See at the end of a run whether it shows what the learner claims."""
        if not over:
            self.tried = replace(self.tried, said="", right=False)
            return
        judged = self.guide.claim(self.index, made)
        more = "" if judged.right else "; ← and try another, or esc and let the search look"
        self.tried = replace(self.tried, said=f"{judged.text}{more}", right=judged.right)
        self.note = self.tried.said

    def ask_beside(self, question: partial[str], what: str) -> None:
        """Ask for something that takes a search; `what` is the part of the view that it fills."""
        if self.search is not None:
            self.search.leave()
        self.search = Beside(lambda tick: question(), partial(self.told_beside, what))

    def told_beside(self, what: str, search: Beside[str]) -> None:
        """The search has an answer."""
        if not search.over or not self.is_attached:
            return
        answer = search.answer or search.error
        if what == "easiest":
            self.tried = replace(self.tried, easiest=answer)
        else:
            kept = self.tried.hints[: self.tried.tiers - 1]
            self.tried = replace(self.tried, hints=(*kept, answer))
        self.refresh_view()

    def action_hint(self) -> None:
        """The next hint; the last one is the search's, from where the run stands."""
        if self.tried.claim:
            self.say("esc, then enter: the search looks at every order")
            return
        number = min(len(self.tried.hints) + 1, self.tried.tiers)
        question = partial(self.guide.hint, self.index, number, self.made())
        if number < self.tried.tiers:
            self.tried = replace(self.tried, hints=(*self.tried.hints, question()))
        else:
            self.say("the search looks for a way from here …")
            self.ask_beside(question, "hint")
        self.refresh_view()

    async def action_goal(self) -> None:
        """Back to the page once the goal is reached."""
        if self.tried.right:
            _ = self.app.pop_screen()
        else:
            self.say("not reached yet: h gives a hint, esc goes back to the page")
