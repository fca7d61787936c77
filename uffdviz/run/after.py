"""`after = "TASK LANDMARK"`: a call that waits for what another task does; and what `kill` may say."""

import re
from functools import cache
from typing import Any, Final, NoReturn

from uffdviz.errors import ScheduleError, near_miss
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.objects import TABLE_SIZE
from uffdviz.kernel.stage import Stage, objects_of
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.run.addresses import Layout
from uffdviz.run.scenario import wrong
from uffdviz.trace.events import Fact
from uffdviz.trace.landmark import Landmark, parse_landmark

RIGHT: Final = "TASK sleeps, TASK holds LOCK or TASK waits for LOCK"
PART: Final = re.compile(r"[+~@ ]|\.child")
"""What begins the rest of a name of a thing that comes to be later: a piece, a copy, a page."""


def wait_until(stage: Stage, layout: Layout, text: str, who: str) -> Step:
    """The step in which `who` waits until the landmark holds.

    Raises: ScenarioError for a task or a lock that is not there, and other landmarks.
    """
    task, _, words = text.strip().partition(" ")
    if task not in stage.tasks:
        _refuse(text, f"no task {task!r}{near_miss(task, stage.tasks)}")
    if task == who:
        _refuse(text, "a task cannot wait for itself")
    try:
        landmark = parse_landmark(words)
    except ScheduleError as error:
        _refuse(text, str(error))
    if landmark.kind == "sleeps":
        return Step(stage.tasks[task].state, asleep, waits=True)
    if landmark.kind not in {"holds", "waits"}:
        _refuse(text, f"{landmark.kind!r} is over at once")
    lock = _lock(stage, layout, text, landmark)
    effect = held if landmark.kind == "holds" else queued
    return Step(lock, effect, task, landmark.mode, waits=True)


def check_kill(stage: Stage, text: str) -> None:
    """Refuse a landmark that no task can come to.

    Raises: ScenarioError for a function that no era has, and a lock of nothing that is there.
    """
    try:
        landmark = parse_landmark(text, every_function())
    except ScheduleError as error:
        msg = f"kill: {error}"
        raise wrong(msg) from None
    locks = [obj.name for obj in _objects(stage) if hasattr(obj.initial, "holders")]
    kind, _, of = landmark.subject.partition(" ")
    known = {word for name in locks for word in name.split(" ")} | {"child"}
    if landmark.kind in {"holds", "waits"} and not known.issuperset(
        {kind, PART.split(of)[0]} - {""}
    ):
        msg = f"kill: no lock {landmark.subject!r}{near_miss(landmark.subject, locks)}"
        raise wrong(msg)


@cache
def every_function() -> frozenset[str]:
    """The names of all kernel functions of all eras."""
    return frozenset(
        name
        for era in eras().values()
        for name in dir(era)
        if not name.startswith("_") and callable(getattr(era, name))
    )


def _refuse(text: str, why: str) -> NoReturn:
    msg = f"after: {text!r}: {why}; a call can wait for {RIGHT}"
    raise wrong(msg)


def _lock(stage: Stage, layout: Layout, text: str, landmark: Landmark) -> Obj:
    """The lock that a landmark names: by its name, its kind if there is one, or a page of it."""
    locks = {obj.name: obj for obj in _objects(stage) if hasattr(obj.initial, "holders")}
    if landmark.subject in locks:
        return locks[landmark.subject]
    kind, _, of = landmark.subject.partition(" ")
    same = [name for name in locks if name.partition(" ")[0] == kind]
    if not of and len(same) == 1:
        return locks[same[0]]
    if kind == "ptl" and of:
        addr = layout.address(of)
        place = layout.place_of(addr)
        if place is not None:
            return stage.mm(place.mm).ptl(addr // TABLE_SIZE * TABLE_SIZE)
    if of.endswith("+0") and f"{kind} {of[:-2]}" in locks:
        return locks[f"{kind} {of[:-2]}"]
    _refuse(text, f"no lock {landmark.subject!r}{near_miss(landmark.subject, locks)}")


def _objects(stage: Stage) -> list[Obj]:
    families: tuple[dict[str, Any], ...] = (
        stage.mms,
        stage.vmas,
        stage.uffds,
        stage.anon_vmas,
        stage.folios,
    )
    return [obj for family in families for handle in family.values() for obj in objects_of(handle)]


def asleep(s: Any, task: str) -> Outcome:
    """Wait until a task has gone to sleep."""
    return (s, None, Fact("Saw", detail="asleep")) if s.asleep else None


def held(s: Any, task: str, whom: str, mode: str) -> Outcome:
    """Wait until `whom` holds a lock."""
    if whom not in s.holders or mode not in {"", mode_of(s, whom)}:
        return None
    return s, None, Fact("Saw", detail=f"held by {whom}")


def mode_of(s: Any, whom: str) -> str:
    """How `whom` holds a lock."""
    return "read" if whom in getattr(s, "readers", ()) else "write"


def queued(s: Any, task: str, whom: str, mode: str) -> Outcome:
    """Wait until `whom` queues for a lock."""
    if not any(w.task == whom and mode in {"", w.mode} for w in getattr(s, "queue", ())):
        return None
    return s, None, Fact("Saw", detail=f"{whom} in its queue")
