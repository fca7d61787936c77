"""A question that the search answers: which choice is right, or does it hold in every order."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, OptionList, Static

from uffdviz.tui.beside import Beside
from uffdviz.tui.goals import Guide, Judged
from uffdviz.tui.render.goal import asked
from uffdviz.tui.render.line import plain
from uffdviz.tui.screens.dialog import BOX, Dialog, key_line

TITLES = {"fix": "Which one is right?", "prove": "Does it hold in every order?"}
KEYS = {
    "fix": "1-9 or enter: choose   h: hint   esc: back",
    "prove": "enter: choose   h: hint   esc: back",
}
PROVE = ("Let the search look at every order", "I can break it: let me schedule it")
WIDTH = 72
PAGE, CONTEST = "page", "contest"


class JudgeScreen(Dialog[str]):
    """Gives `CONTEST` if the learner says that a `prove` can be broken, and wants to show it."""

    CSS = f"""
    JudgeScreen {{ {BOX} & > Vertical {{ overflow-y: auto; }} & Static {{ margin-bottom: 1; }}
        & #said {{ display: none; }} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("h", "hint", "Hint"),
        *(Binding(str(d), f"choose({d})", show=False) for d in range(1, 10)),
    ]

    def __init__(self, guide: Guide, index: int) -> None:
        super().__init__()
        self.guide = guide
        self.index = index
        self.goal = guide.goal(index)
        self.hints: list[str] = []
        self.verdict = ""
        self.right = False
        self.search: Beside[Judged] | None = None
        self.advice: Beside[str] | None = None

    def compose(self) -> ComposeResult:
        """The question, the choices, what there is to say of them."""
        with Vertical() as box:
            box.border_title = TITLES[self.goal.kind]
            yield Static(Content(plain(asked(self.goal, WIDTH))))
            texts = [choice.text for choice in self.goal.choices] or PROVE
            rows = enumerate(texts, 1)
            yield OptionList(*(Content(f"{number}  {words}") for number, words in rows))
            yield Static(id="said")
            keys = key_line(KEYS[self.goal.kind], h="screen.hint", esc="screen.back")
            yield Label(keys, id="keys-here")

    def on_unmount(self) -> None:
        """Leave no thread behind."""
        for search in (self.search, self.advice):
            if search is not None:
                search.leave()

    def say(self) -> None:
        """Show hints and verdict."""
        said = self.query_one("#said", Static)
        hints = [f"hint {number}: {hint}" for number, hint in enumerate(self.hints, 1)]
        said.update(Content("\n".join([*hints, self.verdict]).strip()))
        said.display = True
        if self.right:
            self.query_one("#keys-here", Label).update(Content("enter or esc: back to the page"))
        self.call_after_refresh(self.query_one(Vertical).scroll_end, animate=False)

    def action_choose(self, number: int) -> None:
        """Let the search judge a choice, or the claim."""
        if self.right:
            _ = self.dismiss(PAGE)
        elif number > len(self.goal.choices or PROVE):
            return
        elif self.goal.kind == "prove" and number == 2:
            _ = self.dismiss(CONTEST)
        else:
            self.begin(number)

    def begin(self, number: int) -> None:
        """Search beside the screen."""
        if self.search is not None:
            self.search.leave()
        guide, index = self.guide, self.index
        self.verdict = "Searching every order … 0 states"
        self.say()
        if self.goal.kind == "prove":
            self.search = Beside(partial(guide.prove, index), partial(self.told, 0))
        else:
            self.search = Beside(partial(guide.choose, index, number), partial(self.told, number))

    def told(self, number: int, search: Beside[Judged]) -> None:
        """The search has come further, or to an end."""
        if not self.is_attached:
            return
        if not search.over:
            self.verdict = f"Searching every order … {search.states:,} states"
        elif search.answer is None:
            self.verdict = search.error
        else:
            self.right = search.answer.right
            self.verdict = self.words(number, search.answer)
        self.say()

    def words(self, number: int, judged: Judged) -> str:
        """The verdict in words, with what the page says of it."""
        said = f"{number} is right" if number else "Proved"
        if not judged.right:
            said = f"{number} is not right" if number else "Not proved"
            return f"✗ {said}: {judged.text}\n  Try another."
        why = " ".join(self.goal.why.split())
        return f"✓ {said}: {judged.text}\n{why}".strip()

    def action_hint(self) -> None:
        """The next hint; the last one may need a search."""
        number = len(self.hints) + 1
        if number > self.guide.tiers(self.index):
            self.verdict = "there is no further hint"
            self.say()
        elif self.advice is None or self.advice.over:
            question = partial(self.guide.hint, self.index, number)
            self.advice = Beside(lambda tick: question(), self.advised)

    def advised(self, advice: Beside[str]) -> None:
        """A hint is there."""
        if advice.over and self.is_attached:
            self.hints.append(advice.answer or advice.error)
            self.say()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the row that is lit."""
        self.action_choose(event.option_index + 1)

    def action_back(self) -> None:
        """Back to the page."""
        _ = self.dismiss(PAGE)
