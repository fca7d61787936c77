"""Whether a scenario makes sense: names, pages, addresses, and what no kernel could be asked."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Final

from uffdviz.errors import ScenarioError, UsageError, near_miss
from uffdviz.kernel.eras.registry import era
from uffdviz.kernel.errno import NAMES
from uffdviz.run.addresses import (
    ADDRESSES,
    FAULT,
    MAIN,
    REP,
    Layout,
    every_call,
    filled,
    numbers_of,
    step_of,
    uses_number,
)
from uffdviz.run.costs import cost_table
from uffdviz.run.scenario import (
    MAX_PAGES,
    NAME,
    SCHEDULE_WORDS,
    Call,
    Mmap,
    Mremap,
    PageList,
    ReadEvent,
    Register,
    Resolve,
    Scenario,
    TaskTable,
    VmaTable,
    numbers,
    wrong,
)

RANGE: Final = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
LISTS: Final = ("present", "swapped", "pinned", "poisoned", "zero", "wp", "not_exclusive", "large")
MAX_TASKS: Final = 256
MAX_NUMBERS: Final = 1 << 16


def make_sense(scenario: Scenario) -> None:
    """Check what the format alone cannot say.

    Raises: ScenarioError with key, value and what would be right.
    """
    try:
        era(scenario.era)
    except UsageError as error:
        msg = f"era: {error}"
        raise wrong(msg) from None
    _check_mutations(scenario)
    _check_names(scenario)
    _check_tasks(scenario)
    cost_table(scenario.costs)
    for uffd in scenario.uffd:
        _known(f"uffd {uffd.name!r}, mm", uffd.mm or MAIN, mm_names(scenario))
    for vma in scenario.vma:
        _check_vma(scenario, vma)
    layout = Layout(scenario)
    for task in scenario.task:
        for place, call in _places(task):
            try:
                _check_call(scenario, layout, task, call)
            except ScenarioError as error:
                msg = f"{place}: {error}"
                raise wrong(msg) from None
    _check_returns(scenario)


def _check_mutations(scenario: Scenario) -> None:
    for ident in scenario.mutate.ids:
        try:
            if not ident.endswith(".py"):
                import_module("uffdviz.kernel.mutations").find_mistake(ident)
        except UsageError as error:
            msg = f"mutate, ids: {error}"
            raise wrong(msg) from None


def mm_names(scenario: Scenario) -> tuple[str, ...]:
    """The address spaces; the first is there without being named."""
    return (MAIN, *(m.name for m in scenario.mm))


def uffd_names(scenario: Scenario) -> tuple[str, ...]:
    """The userfaultfds of the file; those that a FORK event hands over come beside them."""
    return tuple(u.name for u in scenario.uffd)


def task_names(task: TaskTable) -> tuple[str, ...]:
    """The tasks that one table makes: with `count`, as many, numbered from 1."""
    if task.count is None:
        return (task.name,)
    return tuple(f"{task.name}.{n}" for n in range(1, task.count + 1))


def _known(place: str, name: str, names: Iterable[str]) -> None:
    known = tuple(names)
    if name not in known:
        hint = near_miss(name, known) or (f"; there is {', '.join(known)}" if known else "")
        msg = f"{place}: no {name!r}{hint}"
        raise wrong(msg)


def _check_names(scenario: Scenario) -> None:
    tables = (
        ("uffd", scenario.uffd),
        ("mm", scenario.mm),
        ("vma", scenario.vma),
        ("cursor", scenario.cursor),
        ("task", scenario.task),
    )
    for kind, group in tables:
        seen: set[str] = {MAIN} if kind == "mm" else set()
        for table in group:
            name = table.name
            if not re.fullmatch(NAME, name) or len(name) > 64:
                msg = (
                    f"{kind} {name[:64]!r}: a name is letters, digits, '_' and '.', "
                    "beginning with a letter or '_', at most 64"
                )
                raise wrong(msg)
            if name in SCHEDULE_WORDS:
                msg = (
                    f"{kind} {name!r}: a word of schedules; choose another name, "
                    f"such as {name + '_1'!r}"
                )
                raise wrong(msg)
            if name in seen:
                msg = f"{kind} {name!r}: two of this name; each needs its own"
                raise wrong(msg)
            seen.add(name)


def _check_tasks(scenario: Scenario) -> None:
    if not scenario.task:
        msg = "no tasks: a scenario needs a [[task]] with calls"
        raise wrong(msg)
    names: list[str] = []
    for task in scenario.task:
        _check_task(scenario, task)
        names.extend(task_names(task))
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        msg = f"task {twice!r}: two of this name; each needs its own"
        raise wrong(msg)
    if len(names) > MAX_TASKS:
        msg = f"task: {len(names)} tasks, at most {MAX_TASKS}"
        raise wrong(msg)
    if all(task.background for task in scenario.task):
        msg = "task: all are background; at least one must come to an end"
        raise wrong(msg)


def _check_task(scenario: Scenario, task: TaskTable) -> None:
    here = f"task {task.name!r}"
    if not task.calls:
        msg = f"{here}, calls: none; a task needs at least one call"
        raise wrong(msg)
    if task.background and task.repeat is not None:
        msg = f"{here}, repeat: a background task starts again and again by itself"
        raise wrong(msg)
    if task.cursor:
        _known(f"{here}, cursor", task.cursor, (c.name for c in scenario.cursor))
        if task.repeat is not None or task.span is not None:
            msg = f"{here}, cursor: says by itself how often; no repeat, no span"
            raise wrong(msg)
    _known(f"{here}, mm", task.mm or MAIN, mm_names(scenario))
    stepping = any(uses_number(call) for call in every_call(task))
    if task.background and stepping and task.span is None and not task.cursor:
        msg = f"{here}, span: missing; it says after how many numbers step and {REP} begin again"
        raise wrong(msg)
    if stepping and len(numbers_of(scenario, task)) > MAX_NUMBERS:
        msg = f"{here}, repeat: at most {MAX_NUMBERS} with step or {REP}; use span"
        raise wrong(msg)


def _check_vma(scenario: Scenario, vma: VmaTable) -> None:
    here = f"vma {vma.name!r}"
    _known(f"{here}, mm", vma.mm or MAIN, mm_names(scenario))
    pages = {key: _check_pages(f"{here}, ", vma.pages, key, getattr(vma, key)) for key in LISTS}
    anonymous = vma.backing == "anon"
    if anonymous and vma.file:
        msg = f'{here}, file: {vma.file!r}; anonymous memory has none (backing = "shmem"?)'
        raise wrong(msg)
    if anonymous and vma.file_pages is not None:
        msg = f'{here}, file_pages: anonymous memory has no file (backing = "shmem"?)'
        raise wrong(msg)
    if anonymous and vma.shared:
        msg = f'{here}, shared: shared memory has backing = "shmem" or "file"'
        raise wrong(msg)
    if vma.uffd is not None:
        pick_ctx(scenario, vma.uffd.ctx, f"{here}, uffd")
        _check_modes(f"{here}, uffd, modes", vma.uffd.modes)
    if not vma.mapped and (vma.uffd or any(pages.values())):
        msg = f"{here}, mapped: false, so it can have no pages and no userfaultfd"
        raise wrong(msg)
    _check_kinds(vma, pages)


def _check_pages(place: str, pages: int, key: str, listed: PageList) -> frozenset[int]:
    for item in listed:
        match = RANGE.fullmatch(item) if isinstance(item, str) else None
        if isinstance(item, str) and match is None:
            msg = f'{place}{key}: {item[:40]!r} is no range; "0-63" is one'
            raise wrong(msg)
        low = item if isinstance(item, int) else int(match[1]) if match else 0
        high = int(match[2]) if match and match[2] else low
        if not 0 <= low <= high < pages:
            msg = f"{place}{key}: {item!r} is outside; its pages are 0 to {pages - 1}"
            raise wrong(msg)
    return frozenset(numbers(listed))


def _check_kinds(vma: VmaTable, pages: dict[str, frozenset[int]]) -> None:
    """A page is one thing: present, the zero page, swapped out, or a poison marker."""
    here = f"vma {vma.name!r}"
    for one, other in (
        ("present", "swapped"),
        ("present", "zero"),
        ("swapped", "zero"),
        ("swapped", "poisoned"),
        ("zero", "poisoned"),
        ("pinned", "swapped"),
        ("pinned", "zero"),
        ("not_exclusive", "zero"),
        ("large", "swapped"),
        ("large", "zero"),
    ):
        both = pages[one] & pages[other]
        if both:
            msg = f"{here}, {other}: page {min(both)} is {one} too; it is one of them"
            raise wrong(msg)
    if (vma.shared or vma.backing == "file") and (pages["swapped"] or pages["zero"]):
        msg = f"{here}, swapped, zero: only private memory that is no file has such pages"
        raise wrong(msg)
    private = vma.backing == "anon" and any(
        pages[key] for key in ("present", "swapped", "pinned", "not_exclusive", "large")
    )
    if vma.anon_vma is False and private:
        msg = f"{here}, anon_vma: false, but a mapping with anonymous pages has one"
        raise wrong(msg)
    if vma.anon_vma and vma.shared:
        msg = f"{here}, anon_vma: true, but a shared mapping never has one"
        raise wrong(msg)


def _check_modes(place: str, modes: tuple[str, ...]) -> None:
    if not modes:
        msg = f"{place}: none; at least one of missing, wp, minor"
        raise wrong(msg)


def pick_ctx(scenario: Scenario, name: str, place: str, also: Iterable[str] = ()) -> str:
    """The userfaultfd that is meant: the named one, or the only one."""
    names = (*uffd_names(scenario), *also)
    if not names:
        msg = f"{place or 'call'}: there is no userfaultfd; add a [[uffd]]"
        raise wrong(msg)
    key = f"{place}, ctx" if place else "ctx"
    if not name:
        if len(uffd_names(scenario)) == 1:
            return names[0]
        msg = f"{key}: missing; there are {', '.join(names)}"
        raise wrong(msg)
    _known(key, name, names)
    return name


def handed_over(task: TaskTable) -> tuple[str, ...]:
    """The userfaultfds that FORK events hand to this task, by the names it gives them."""
    return tuple(c.bind for c in every_call(task) if isinstance(c, ReadEvent) and c.bind)


def _places(task: TaskTable) -> Iterator[tuple[str, Call]]:
    for key in ("setup", "calls", "cleanup", "on_sigbus"):
        for index, call in enumerate(getattr(task, key)):
            yield place_of(task, key, index, call), call


def place_of(task: TaskTable, key: str, index: int, call: Call) -> str:
    """Say which call of a task is meant."""
    return f"task {task.name!r}, {key} {index + 1} ({call.__struct_config__.tag})"


def _check_call(scenario: Scenario, layout: Layout, task: TaskTable, call: Call) -> None:
    _check_step(call)
    if isinstance(call, Mmap):
        _check_mmap(scenario, call)
    if isinstance(call, Mremap) and call.fixed and not call.to:
        msg = "key 'to' is missing; fixed = true says that it is to be just there"
        raise wrong(msg)
    if isinstance(call, Register):
        _check_modes("modes", call.modes)
    if isinstance(call, Resolve) and call.using in {"copy", "move"} and not call.src:
        msg = f"key 'src' is missing; using = {call.using!r} takes a page from there"
        raise wrong(msg)
    if isinstance(call, ReadEvent) and call.bind and not re.fullmatch(NAME, call.bind):
        msg = f"as: {call.bind!r} is no name"
        raise wrong(msg)
    _check_ctx(scenario, task, call)
    used = numbers_of(scenario, task) if uses_number(call) else range(1)
    for key in ADDRESSES:
        text = getattr(call, key, "")
        if text and not (text == FAULT and call in task.on_sigbus):
            _check_addresses(layout, key, text, used, step_of(call, key))


def _check_addresses(layout: Layout, key: str, text: str, used: range, step: int) -> None:
    try:
        for number in used:
            layout.address(text, number, step)
    except ScenarioError as error:
        msg = f"{key}: {error}"
        raise wrong(msg) from None


def _check_ctx(scenario: Scenario, task: TaskTable, call: Call) -> None:
    name = getattr(call, "ctx", None)
    if name is None:
        return
    if name or isinstance(call, ReadEvent | Resolve):
        pick_ctx(scenario, name, "", handed_over(task))
    elif not scenario.uffd:
        pick_ctx(scenario, name, "")


def _check_step(call: Call) -> None:
    steps = {"step": call.step} if isinstance(call.step, int) else call.step
    keys = [key for key in ADDRESSES if hasattr(call, key)]
    for key, step in steps.items():
        if key != "step":
            _known("step", key, keys)
        if abs(step) > MAX_PAGES:
            msg = f"step: {step} pages; at most {MAX_PAGES}"
            raise wrong(msg)
    if call.step and not keys:
        msg = "step: this call has no address"
        raise wrong(msg)


def _check_mmap(scenario: Scenario, call: Mmap) -> None:
    name = filled(call.name, 0, 1)
    if not re.fullmatch(NAME, name) or name in SCHEDULE_WORDS:
        why = "a word of schedules" if name in SCHEDULE_WORDS else "no name"
        msg = f"name: {call.name!r} is {why}"
        raise wrong(msg)
    others = [
        one.name
        for task in scenario.task
        for one in every_call(task)
        if one is not call and isinstance(one, Mmap)
    ]
    if call.fixed and not call.at and call.name not in {*others, *(v.name for v in scenario.vma)}:
        msg = "key 'at' is missing; fixed = true says that it is to be just there"
        raise wrong(msg)
    _check_pages("", call.pages, "present", call.present)
    if call.backing == "anon" and (call.file or call.shared):
        msg = 'backing: "anon"; a file or shared memory is "shmem" or "file"'
        raise wrong(msg)
    if call.uffd is not None:
        pick_ctx(scenario, call.uffd.ctx, "uffd")


def _check_returns(scenario: Scenario) -> None:
    for task in scenario.task:
        for place, call in _places(task):
            value = call.returns
            if isinstance(value, str) and value not in {*NAMES.values(), "SIGBUS", "SIGSEGV"}:
                raise wrong(
                    f"{place}, returns: unknown {value[:40]!r}"
                    + (near_miss(value, NAMES.values()) or "; a number, '-EAGAIN' or 'SIGBUS'")
                )
