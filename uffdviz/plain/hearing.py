"""Whoever hears lines and answers in sentences: a table of what can be typed, and help from it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from uffdviz.errors import UffdvizError

NOT_SAID: Final = frozenset({"", "n", "help"})
"""What is typed for something that help has under another word, or says by itself."""


class Command(NamedTuple):
    """What answers, its docstring being the help, and what it takes."""

    answer: Callable[[Any, str], Iterator[str]]
    takes: str = ""


Commands = Mapping[str, Command]


class Hearing:
    """Answers lines. A subclass says which there are."""

    commands: ClassVar[Commands] = {}
    before: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    """What help says before and after the commands."""

    above: "Hearing | None" = None
    """What has come on top, and hears everything until esc."""

    def hear(self, line: str) -> Iterator[str]:
        """Answer a line, or say in one why it cannot be."""
        try:
            yield from self.heard(line)
        except (UffdvizError, OSError) as error:
            yield f"That cannot be: {error}."

    def heard(self, line: str) -> Iterator[str]:
        """Let what is on top answer; esc takes it away."""
        if self.above is None:
            yield from self.answer(line)
        elif line == "esc" and self.above.above is None:
            yield from self.take_away()
        else:
            yield from self.above.hear(line)

    def take_away(self) -> Iterator[str]:
        """Go on below what was on top."""
        self.above = None
        yield from ()

    def answer(self, line: str) -> Iterator[str]:
        """Answer a line by the table."""
        word, _, rest = line.partition(" ")
        if word in self.commands:
            yield from self.commands[word].answer(self, rest.strip())
        else:
            yield f"I do not know {line[:40]!r}. ? says what can be typed."

    def help(self, _: str = "") -> Iterator[str]:
        """This help."""
        yield from self.before
        for word, (answer, takes) in self.commands.items():
            if word not in NOT_SAID:
                yield f"{f'{word} {takes}'.strip()}: {answer.__doc__}"
        yield from self.after
