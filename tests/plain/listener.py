"""Somebody who hears a run and sees nothing: keeps the whole picture from the sentences alone."""

import re
from collections import Counter
from collections.abc import Callable

HOLDS = re.compile(r"(\S+) (?:now )?holds (.+) for (read|write)(?: (\d+) times)?")
LETS_GO = re.compile(r"(\S+) (?:no longer holds|releases) (.+) for (read|write)")
DOWNGRADES = re.compile(r"(\S+) downgrades (.+) to read")
WAITS = re.compile(
    r"(\S+) waits for (.+?)(?: to (read|write))?(?: behind (.+?))?(?:, (\d+)\w+ in its queue)?"
)
QUEUES = re.compile(r"(\S+) may go on, (\d+)\w+ in the queue for (.+) to (read|write)")
GOES_ON = re.compile(r"(\S+) (?:may go on|runs again)")
GAVE_UP = re.compile(r"(\S+) gives up waiting for (.+) to (read|write)")
SLEEPS = re.compile(r"(\S+) sleeps until woken(?: \((\w+)\))?")
DONE = re.compile(r"(\S+) is done")
CHANGES = re.compile(r"In (.+?), (.+ (?:is|are) now .+)")
CHANGE = re.compile(r"(.+?) (?:is|are) now (.+)")
NAMES = re.compile(r", | and ")


class Listener:
    """What was understood so far; `changed` is what the last step changed beside locks and tasks."""

    def __init__(self) -> None:
        self.holds: Counter[tuple[str, str, str]] = Counter()
        self.queued: dict[str, tuple[str, str, int]] = {}
        self.stands: dict[str, tuple[str, ...]] = {}
        self.changed: dict[str, dict[str, str]] = {}
        self.lead = ""

    def hear(self, sentences: list[str]) -> None:
        """Take in what is said about one step."""
        self.changed = {}
        self.lead = sentences[0].removesuffix(".")
        for sentence in sentences:
            self.take(sentence.removesuffix("."))

    def take(self, said: str) -> None:
        """Take in one sentence."""
        for form, understand in FORMS:
            if match := form.fullmatch(said):
                understand(self, match)
                return

    def changes(self, match: re.Match[str]) -> None:
        parts = (CHANGE.fullmatch(part) for part in match[2].split("; "))
        self.changed[match[1]] = {part[1]: part[2] for part in parts if part}

    def gets(self, match: re.Match[str]) -> None:
        key = (match[1], match[2], match[3])
        self.holds[key] = int(match[4]) if match[4] else max(1, self.holds[key])
        self.goes_on(match)

    def lets_go(self, match: re.Match[str]) -> None:
        self.holds[match[1], match[2], match[3]] -= 1

    def downgrades(self, match: re.Match[str]) -> None:
        self.holds[match[1], match[2], "write"] -= 1
        self.holds[match[1], match[2], "read"] += 1

    def queues(self, match: re.Match[str]) -> None:
        self.goes_on(match)
        self.queued[match[1]] = (match[3], match[4], int(match[2]))

    def sleeps(self, match: re.Match[str]) -> None:
        self.goes_on(match)
        self.stands[match[1]] = ("asleep", match[2] or "")

    def ends(self, match: re.Match[str]) -> None:
        self.stands[match[1]] = ("done",)

    def goes_on(self, match: re.Match[str]) -> None:
        """A task that may go on is in no queue, unless the sentence says so."""
        self.stands[match[1]] = ("ready",)
        self.queued.pop(match[1], None)

    def waits(self, match: re.Match[str]) -> None:
        """A task waits: for what, to do what, behind whom, at which place."""
        task, lock, mode, behind, place = match.groups()
        self.goes_on(match)
        before = tuple(NAMES.split(behind)) if behind else ()
        self.stands[task] = ("blocked", lock, mode or "", *before)
        if place:
            self.queued[task] = (lock, mode or "", int(place))


FORMS: tuple[tuple[re.Pattern[str], Callable[[Listener, re.Match[str]], None]], ...] = (
    (CHANGES, Listener.changes),
    (HOLDS, Listener.gets),
    (LETS_GO, Listener.lets_go),
    (DOWNGRADES, Listener.downgrades),
    (QUEUES, Listener.queues),
    (WAITS, Listener.waits),
    (SLEEPS, Listener.sleeps),
    (DONE, Listener.ends),
    (GOES_ON, Listener.goes_on),
    (GAVE_UP, Listener.goes_on),
)
