"""What happened: one frozen record a step.

A fact is what a step did to its one object; an event is that fact with its place: who, where in
the kernel, when, and what the object is from now on. Everything the program shows, totals, checks
or compares is folded from events.
"""

from typing import Any, Final, Literal

from uffdviz.light import msgspec

Mode = Literal["read", "write"]
Calls = tuple[tuple[str, ...], ...]
"""What was entered and left: `("enter", function)` or `("leave", function, result as text)`."""


class Fact(msgspec.Struct, frozen=True):
    """What a step did, without saying who, where and when.

    `tasks` are those whom the fact names: who holds the lock that was refused, who was woken.
    `detail` is the word and value of a check or a change, or the work done; for a lock that has to
    be waited for: `killable`, `spinning`, `trying` (it looks again before it sleeps), or nothing.
    `unmet` is no part of an event: how a result differs from what the scenario says.
    """

    kind: str
    mode: str = ""
    tasks: tuple[str, ...] = ()
    detail: str = ""
    unmet: str = ""


WORDS: Final = {
    "LockAcquired": "holds {object} for {mode}",
    "LockContended": "waits for {object} to {mode}",
    "LockRefused": "does not get {object} to {mode}",
    "LockReleased": "releases {object} for {mode}",
    "LockDowngraded": "downgrades {object} to read",
    "LockMisused": "releases {object}, which it does not hold",
    "LockGaveUp": "gives up waiting for {object} to {mode}",
    "DeadlinePassed": "has waited 4 ms for {object}: the next holder must be this one",
    "Saw": "sees {object} {detail}",
    "Changed": "{detail}",
    "Slept": "sleeps",
    "Resumed": "runs again",
    "Woke": "wakes {tasks}",
    "Worked": "{detail}",
    "Paused": "{detail}",
    "Failed": "fails: {detail}",
    "Killed": "gets a fatal signal",
    "Called": "calls {detail}",
    "Returned": "returns {detail}",
    "Finished": "is done",
}
"""Every kind of fact, and how it is said. The list is closed: a new kind is a new line here."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One step of one task, or one move of the environment, numbered from 1.

    `function` and `step` name the place in the kernel (labels of the reference); `start` and `end`
    are virtual nanoseconds. `object` is what the step touched and `value` what it is after the
    step; no `value` means unchanged. `pages` holds only the changed entries of a page table.
    `at` is the place where the task stands from now on. `stuck` names tasks that cannot move now
    although neither a contended lock nor a sleep has said so, each with what it waits for.
    `queued` is how long before `start` the task could have gone on, had it had a processor.
    `off` names who has no processor from a time on: who lost one to the task, or itself if it pauses;
    in the first step, where processors are counted, whoever else could go on.
    """

    n: int
    task: str
    function: str
    step: str
    start: int
    end: int
    fact: str
    text: str
    choice: str
    object: str = ""
    mode: str = ""
    tasks: tuple[str, ...] = ()
    detail: str = ""
    value: Any = None
    pages: dict[str, Any] | None = None
    calls: Calls = ()
    at: tuple[str, str] = ("", "")
    stuck: tuple[tuple[str, str], ...] = ()
    queued: int = 0
    off: tuple[tuple[str, int], ...] = ()

    @property
    def sentence(self) -> str:
        """The event as a sentence: who, and what."""
        return f"{self.task} {self.text}"


def say(fact: Fact, name: str) -> str:
    """Say what happened to the object called `name`, without the task in front."""
    return WORDS[fact.kind].format(
        object=name, mode=fact.mode, tasks=", ".join(fact.tasks) or "nobody", detail=fact.detail
    )
