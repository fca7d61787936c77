"""The locks of a trace and the locks of the model: which is which.

A lock is known by its kind and, for a mapping's lock, by the mapping. Where only the address
tells two of a kind apart (`ptl`, `anon_vma`), an address stands for one lock of the model.
"""

import re
from typing import Final

from uffdviz.kernel.errno import errno_name
from uffdviz.kernel.steps import Obj
from uffdviz.light import msgspec
from uffdviz.run.kernel_trace import TraceEvent

OTHER_MM: Final = ("mmap_lock", "page_table_lock")
RANGE: Final = re.compile(r"^[0-9a-f]+-[0-9a-f]+")


class Predicted(msgspec.Struct, frozen=True):
    """A lock event that the model is about to make, in the trace's words."""

    kind: str
    lock: str
    mapping: str
    mode: str
    name: str

    @property
    def spin(self) -> bool:
        """Whether the lock is a spinlock, of which the probes missed a few."""
        return self.lock.startswith(("ptl", "page_table_lock")) or self.lock.endswith(".lock")

    @property
    def said(self) -> str:
        """The event in a few words, as a trace would have it."""
        what = f" of {self.mapping}" if self.mapping else ""
        return f"{self.kind} {self.lock}{what} for {self.mode}"


class Names:
    """What is known so far of which lock of the trace is which of the model."""

    def __init__(self, mappings: dict[str, tuple[int, int]]) -> None:
        self.mappings = mappings
        self._bound: dict[str, str] = {}

    def predicted(self, kind: str, obj: Obj, mode: str) -> Predicted:
        """Say a coming event of the model in the trace's words."""
        word, _, owner = obj.name.partition(" ")
        mode = "write" if kind == "downgrade" else mode  # the trace has what was given up
        if obj.kind == "vma_lock":
            return Predicted(kind, "vma_lock", owner, mode, obj.name)
        lock = f"{word}(other mm)" if owner and word in OTHER_MM else word
        return Predicted(kind, lock, "", mode, obj.name)

    def same(self, event: TraceEvent, predicted: Predicted) -> bool:
        """Whether the event is about the lock, in the mode, that the model foresees."""
        if event.lock != predicted.lock or (event.mode or predicted.mode) != predicted.mode:
            return False
        if event.vma and not same_mapping(event.vma, predicted.mapping):
            return False
        bound = self._bound.get(event.addr or "")
        return bound is None or bound == predicted.name

    def bind(self, event: TraceEvent, predicted: Predicted) -> None:
        """From now on this address is that lock."""
        if event.addr and event.lock in {"ptl", "anon_vma"}:
            if event.event == "acquire":
                stale = [a for a, n in self._bound.items() if n == predicted.name]
                for addr in stale:
                    del self._bound[addr]
            self._bound[event.addr] = predicted.name

    def known(self) -> dict[str, str]:
        """What has been learned so far, to come back to."""
        return dict(self._bound)

    def restore(self, known: dict[str, str]) -> None:
        """Go back to what was known."""
        self._bound = known

    def forget(self) -> None:
        """A repetition begins: page tables freed since may have given their addresses away."""
        self._bound.clear()

    @staticmethod
    def result(ret: int | str | None) -> str | None:
        """A call's result as the model says it; none if the trace has none."""
        if isinstance(ret, int) and ret < 0:
            return errno_name(ret)
        return None if ret is None else str(ret)


def same_mapping(traced: str, model: str) -> bool:
    """Whether a mapping's name in the trace can be that of the model.

    `NAME:part` is a piece, `NAME(child)` the forked child's, `NAME(copy)` a moved one, `new` one
    that was just allocated.
    """
    base = re.split(r"[:(]", traced, maxsplit=1)[0]
    plain = re.split(r"[+~]", model.rpartition("/")[2], maxsplit=1)[0]
    if traced.endswith("(child)"):
        return "/" in model and plain == base
    if traced.endswith("(copy)"):
        return model != base
    if traced == "new":
        return True
    return plain == base and "/" not in model and (":" in traced or "+" not in model)
