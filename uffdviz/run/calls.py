"""What each call of a scenario is in the kernel: the entry point, and its arguments as numbers.

A `Bound` is one call of one repetition, made once per setting, so that every run of it and a
search over it hold the same objects.
"""

from collections.abc import Callable, Coroutine
from functools import lru_cache, partial
from typing import Any, Final

from uffdviz.kernel.errno import errno_name
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE, Uffd
from uffdviz.kernel.queues import Entry
from uffdviz.kernel.steps import Ask, Mark, Step, Work
from uffdviz.kernel.vma_tree import MmapSpec
from uffdviz.light import msgspec
from uffdviz.run import scenario as s
from uffdviz.trace.events import Fact

Handed = tuple[tuple[str, str], ...]
"""The userfaultfds that FORK events handed to a task: the scenario's name, the kernel's name."""
Spans = tuple[tuple[int, int], ...]
"""Where the scenario's mappings begin and end."""
Run = Callable[[Kernel, Handed], Coroutine[Ask, Any, Any]]
TRIES: Final = 8


class Bound:
    """One call, ready to be made.

    `part` is `setup`, `cleanup` or `handler` for calls that are not counted, else empty. `kill` is
    a landmark, `fail` names the work that fails, the two `may_…` are left open to a search.
    """

    __slots__ = (
        "after", "bind", "called", "fail", "handlers", "kill", "may_fail", "may_kill", "op",
        "part", "returns", "run",
    )  # fmt: skip

    def __init__(self, call: s.Call, say: Callable[[], str], part: str, run: Run) -> None:
        self.op = str(call.__struct_config__.tag)
        self.called = Mark(lambda: Fact("Called", part, detail=say()))
        self.part = part
        self.run = run
        self.returns = call.returns
        self.fail = call.fail.function if call.fail else ""
        self.kill = call.kill
        self.may_fail = call.may_fail
        self.may_kill = call.may_kill
        self.bind = call.bind if isinstance(call, s.ReadEvent) else ""
        self.after: Step | None = None
        self.handlers: Callable[[], tuple[Bound, ...]] = tuple

    def unmet(self, text: str) -> str:
        """How a result differs from what the scenario says; empty if it does not, or says nothing."""
        if self.part or self.returns is None or str(self.returns) == text:
            return ""
        return f"{self.called.fact.detail} returned {text}, not {self.returns}"

    def __repr__(self) -> str:
        return f"<call {self.called.fact.detail}>"


class Handlers:
    """What a task does on SIGBUS for one page: calls that are made ready when it comes to that."""

    __slots__ = ("_bound", "_make")

    def __init__(self, make: Callable[[], tuple[Bound, ...]] = tuple) -> None:
        self._make = make
        self._bound: tuple[Bound, ...] | None = None

    def __call__(self) -> tuple[Bound, ...]:
        """The calls, the same ones each time."""
        if self._bound is None:
            self._bound = self._make()
        return self._bound


async def perform(k: Kernel, bound: Bound, handed: Handed) -> Any:
    """Make one call, between the two marks that say so."""
    if bound.after is not None:
        await bound.after
    k.doing = bound
    await bound.called
    result = await bound.run(k, handed)
    k.doing = None
    await Mark(_returned(bound.part, said(result), bound.unmet(said(result))))
    return result


@lru_cache(maxsize=1024)
def _returned(part: str, text: str, unmet: str) -> Fact:
    return Fact("Returned", part, detail=text, unmet=unmet)


def said(result: Any) -> str:
    """A result as the program writes it: a number, an errno or a signal."""
    if isinstance(result, Entry):
        return str(MESSAGE)
    if isinstance(result, int) and result < 0:
        return errno_name(result)
    return str(result)


MESSAGE: Final = 32
"""sizeof(struct uffd_msg): what read() returns."""


class Binder:
    """Makes the calls of one repetition of one task. The setting fills in what it knows."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        address: Callable[[s.Call, str], int],
        ctx: Callable[[s.Call], Uffd | str],
        uffd: Callable[[str], Uffd],
        child: tuple[str, bool],
        spans: Spans,
        name: Callable[[str], str],
    ) -> None:
        self.address = address
        self.ctx = ctx
        self.uffd = uffd
        self.child = child
        self.spans = spans
        self.name = name


def entry(b: Binder, call: s.Call, method: str, *args: Any) -> Run:
    """Make a kernel entry point that takes a userfaultfd first a `Run`; flags go by name."""
    flags = tuple((f, getattr(call, f)) for f in CTX_FLAGS if hasattr(call, f))
    return partial(_uffd_call, b.ctx(call), method, args, flags)


async def _uffd_call(  # noqa: PLR0913, PLR0917
    ctx: Uffd | str,
    method: str,
    args: tuple[Any, ...],
    flags: tuple[tuple[str, bool], ...],
    k: Kernel,
    handed: Handed,
) -> Any:
    return await getattr(k, method)(known(ctx, k, handed), *args, **dict(flags))


def known(ctx: Uffd | str, k: Kernel, handed: Handed) -> Uffd:
    """The userfaultfd that a call means; one from a FORK event is known by its name here."""
    if isinstance(ctx, Uffd):
        return ctx
    return k.stage.uffd(dict(handed).get(ctx, ctx))


def mm_call(method: str, *args: Any) -> Run:
    """Make a kernel entry point that takes the caller's address space first a `Run`."""
    return partial(_mm_call, method, args)


async def _mm_call(method: str, args: tuple[Any, ...], k: Kernel, handed: Handed) -> Any:
    result = await getattr(k, method)(k.current.mm, *args)
    return min(result, 0)


async def _touch(
    addr: int,
    write: bool,  # noqa: FBT001  an argument of the call
    handlers: Handlers,
    k: Kernel,
    handed: Handed,
) -> Any:
    """Touch a page; a handler of SIGBUS runs and the access is tried again."""
    result = await k.page_fault(addr, write)
    tries = 0
    while result == "SIGBUS" and handlers() and tries < TRIES:
        tries += 1
        for bound in handlers():
            await perform(k, bound, handed)
        result = await k.page_fault(addr, write)
    return result


async def _resolve(  # noqa: PLR0913, PLR0917  the words of the call
    ctx: Uffd | str,
    using: str,
    nonblocking: bool,  # noqa: FBT001
    src: int,
    spans: Spans,
    k: Kernel,
    handed: Handed,
) -> Any:
    """Read messages up to a fault, and do what it waits for."""
    ctx = known(ctx, k, handed)
    while True:
        message = await k.userfaultfd_read(ctx, nonblocking)
        if not isinstance(message, Entry):
            return message
        if message.kind == "pagefault":
            break
    page = message.addr - message.addr % PAGE_SIZE
    if using == "writeprotect" or "wp" in message.flags:
        return await k.userfaultfd_writeprotect(ctx, page, PAGE_SIZE, protect=False)
    match using:
        case "copy":
            return await k.userfaultfd_copy(ctx, page, same_page(page, src, spans), PAGE_SIZE)
        case "move":
            return await k.userfaultfd_move(ctx, page, same_page(page, src, spans), PAGE_SIZE)
        case "zeropage":
            return await k.userfaultfd_zeropage(ctx, page, PAGE_SIZE)
        case _:
            return await k.userfaultfd_continue(ctx, page, PAGE_SIZE)


def same_page(page: int, src: int, spans: Spans) -> int:
    """The page of `src` that lies as far from its start as `page` does; `src` if it has none."""
    offset = next((page - start for start, end in spans if start <= page < end), 0)
    end = next((end for start, end in spans if start <= src < end), 0)
    return src + offset if src + offset < end else src


async def _mmap(  # noqa: PLR0913, PLR0917  the words of the call
    start: int,
    length: int,
    spec: MmapSpec,
    present: tuple[int, ...],
    register: tuple[Uffd, tuple[str, ...]] | None,
    k: Kernel,
    handed: Handed,
) -> Any:
    """Map memory, touch the pages that shall be present, and register it."""
    addr = await k.sys_mmap(k.current.mm, start, length, spec)
    if addr < 0:
        return addr
    for page in present:
        await k.page_fault(addr + page * PAGE_SIZE, True)  # noqa: FBT003
    if register is not None:
        return await k.userfaultfd_register(register[0], addr, length, register[1])
    return 0


async def _fork(child: str, again: bool, k: Kernel, handed: Handed) -> Any:  # noqa: FBT001
    """Fork; a task that does so without end names each child anew."""
    if again:
        k.fresh += 1
        child = f"{child}~{k.fresh}"
    return await k.sys_fork(child)


async def _exit(k: Kernel, handed: Handed) -> Any:
    return await k.sys_exit()


async def _compute(ns: int, k: Kernel, handed: Handed) -> int:
    """Spend time off the locks."""
    await Work("compute", cost="ns", units=ns, detail=f"computes for {ns} ns")
    return 0


Maker = Callable[[Binder, Any, int, int], Run]
"""From a call, the address in its `at`, and its length in bytes, what makes it in the kernel."""


def bind(b: Binder, call: s.Call, *, polled: bool, handlers: Handlers) -> Run:
    """Find the entry point of a call. `polled`: the call before it waited for a message."""
    if isinstance(call, s.ReadEvent):
        return entry(b, call, "userfaultfd_read", polled)
    if isinstance(call, s.Resolve):
        src = b.address(call, "src") if call.src else 0
        return partial(_resolve, b.ctx(call), call.using, polled, src, b.spans)
    at = b.address(call, "at") if getattr(call, "at", "") else 0
    if isinstance(call, s.Touch):
        return partial(_touch, at, call.write, handlers)
    return MAKERS[type(call)](b, call, at, getattr(call, "pages", 0) * PAGE_SIZE)


def from_src(method: str) -> Maker:
    """What fills `dst` from `src`."""

    def make(b: Binder, call: Any, at: int, length: int) -> Run:
        return entry(b, call, method, b.address(call, "dst"), b.address(call, "src"), length)

    return make


def on_range(method: str, *keys: str) -> Maker:
    """What a userfaultfd does to a range, with some keys of the call."""

    def make(b: Binder, call: Any, at: int, length: int) -> Run:
        return entry(b, call, method, at, length, *(getattr(call, key) for key in keys))

    return make


def on_ctx(method: str) -> Maker:
    """What concerns a userfaultfd as a whole."""
    return lambda b, call, _at, _length: entry(b, call, method)


def on_memory(method: str, *keys: str) -> Maker:
    """What changes a range of the address space, with some keys of the call."""
    return lambda _b, call, at, length: mm_call(
        method, at, length, *(getattr(call, key) for key in keys)
    )


def make_mmap(b: Binder, call: s.Mmap, at: int, length: int) -> Run:
    """Without an address the call asks for the one that the layout keeps for its name."""
    name = b.name(call.name)
    file = call.file or (name if call.backing != "anon" else "")
    spec = MmapSpec(name, call.prot, call.shared, call.backing, file, fixed=call.fixed)
    register = None if call.uffd is None else (b.uffd(call.uffd.ctx), call.uffd.modes)
    start = at or b.address(msgspec.structs.replace(call, at=call.name, step=0), "at")
    return partial(_mmap, start, length, spec, s.numbers(call.present), register)


def make_mremap(b: Binder, call: s.Mremap, at: int, length: int) -> Run:
    new = (call.new_pages or call.pages) * PAGE_SIZE
    to = b.address(call, "to") if call.to else 0
    return mm_call("sys_mremap", at, length, new, to, call.fixed, call.dontunmap)


MAKERS: Final[dict[type[s.Call], Maker]] = {
    s.Copy: from_src("userfaultfd_copy"),
    s.Move: from_src("userfaultfd_move"),
    s.Zeropage: on_range("userfaultfd_zeropage"),
    s.Continue: on_range("userfaultfd_continue"),
    s.Poison: on_range("userfaultfd_poison"),
    s.Writeprotect: on_range("userfaultfd_writeprotect"),
    s.Wake: on_range("userfaultfd_wake"),
    s.Register: on_range("userfaultfd_register", "modes"),
    s.Unregister: on_range("userfaultfd_unregister"),
    s.Poll: on_ctx("userfaultfd_poll"),
    s.Close: on_ctx("userfaultfd_release"),
    s.Pin: lambda _b, call, at, _length: mm_call("pin_user_page_fast", at, call.write),
    s.Mmap: make_mmap,
    s.Munmap: on_memory("sys_munmap"),
    s.Mprotect: on_memory("sys_mprotect", "prot"),
    s.Madvise: on_memory("sys_madvise", "advice"),
    s.Mremap: make_mremap,
    s.Fork: lambda b, *_: partial(_fork, *b.child),
    s.Exit: lambda *_: _exit,
    s.Compute: lambda _b, call, *_: partial(_compute, call.ns),
}


def words(b: Binder, call: s.Call, where: Callable[[int], str]) -> str:
    """A call as a person would write it."""
    said_words = [str(call.__struct_config__.tag)]
    for key in ("name", "dst", "src", "at", "to"):
        text = getattr(call, key, "")
        if text:
            said_words.append(b.name(text) if key == "name" else where(b.address(call, key)))
    if hasattr(call, "pages"):
        pages = call.pages
        said_words.append(f"{pages} page" if pages == 1 else f"{pages} pages")
    said_words += [
        str(v) for key in ("prot", "advice", "using", "ctx") if (v := getattr(call, key, ""))
    ]
    said_words += [key for key in FLAGS if getattr(call, key, False) is True]
    if isinstance(call, s.Writeprotect):
        said_words.append("protect" if call.protect else "unprotect")
    if isinstance(call, s.Compute):
        said_words.append(f"{call.ns} ns")
    return " ".join(said_words)


CTX_FLAGS: Final = ("wp", "protect", "dontwake", "allow_src_holes")
FLAGS: Final = ("write", "wp", "dontwake", "allow_src_holes", "fixed", "dontunmap")
