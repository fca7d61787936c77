"""Mistakes in how long a userfaultfd context, and an entry in its queues, is there."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

GET: Final = "    await k.userfaultfd_ctx_get(ctx)\n"
LOWER: Final = "    await k.atomic_add(ctx.mmap_changing, -1)  # e6\n"
PUT: Final = "    await k.userfaultfd_ctx_put(ctx)  # e7\n"
WAKE: Final = "    await k.wake_up_task(state, entry.task)\n"
UNLINK: Final = '    await Step(state, unlink, entry.task, cost="store")\n'

LOCK_QUEUE: Final = "    await k.spin_lock(ctx.fault_pending_lock)  # h9\n"
UNLINK_OWN: Final = "    await Step(k.current.state, unlink, entry.task"

MISTAKES: Final = (
    Mistake(
        "M83",
        "an event is announced without a reference to the context",
        ("S10", "S13"),
        (*A, *B, *C),
        "close-meets-fork",
        (Edit("mmap_changing_raise", GET, "\n"),),
        why="the file may be closed before the event is sent",
    ),
    Mistake(
        "M84",
        "a fault sleeps without a reference to the context",
        ("S10", "S13"),
        (*A, *B, *C),
        "close-meets-fault",
        (
            Edit(
                "handle_userfault",
                "    await k.userfaultfd_ctx_get(ctx)  # h4\n",
                "\n",
            ),
        ),
    ),
    Mistake(
        "M85",
        "an event's sender lets go of the context before it lowers the counter",
        ("S13",),
        (*A, *B, *C),
        "close-meets-fork",
        (
            Edit("userfaultfd_event_wait_completion", LOWER, "\n"),
            Edit("userfaultfd_event_wait_completion", PUT, f"{PUT}{LOWER}"),
        ),
    ),
    Mistake(
        "M86",
        "a fault is taken off its queue before it is woken",
        ("S13",),
        (*A, *B, *C),
        "fault-meets-copy",
        (
            Edit("userfaultfd_wake_function", WAKE, "\n"),
            Edit("userfaultfd_wake_function", UNLINK, f"{UNLINK}{WAKE}"),
        ),
        why="the entry lies on the stack of the fault, which may leave as soon as it is off",
    ),
    Mistake(
        "M103",
        "a child's mapping stays with its parent's userfaultfd where no event is wanted",
        ("S3",),
        (*A, *B, *C),
        "fork-without-its-event",
        (Edit("dup_userfaultfd", "        await k.vma_drop_ctx(vma)\n", "        pass\n"),),
    ),
    Mistake(
        "M89",
        "an event's sender keeps its reference to the context",
        ("S10",),
        (*A, *B, *C),
        "event-remove",
        (Edit("userfaultfd_event_wait_completion", PUT, "\n"),),
    ),
    Mistake(
        "M141",
        "a fault on a missing page waits for one that it may write, too",
        ("L2",),
        (*A, *B, *C),
        "fault-meets-zeropage",
        (
            Edit(
                "userfaultfd_must_wait",
                'in {"page", "zero"} and reason == "wp" and not pte.write',
                'in {"page", "zero"} and not pte.write',
            ),
        ),
        why="it came too late for the wake-up, and the page is there",
    ),
    Mistake(
        "M142",
        "a fault takes its entry off the queue before it has the queue's lock",
        ("S13",),
        (*A, *B, *C),
        "fault-meets-copy",
        (
            Edit("dequeue_userfault", LOCK_QUEUE, "\n"),
            Edit("dequeue_userfault", UNLINK_OWN, f"{LOCK_QUEUE}{UNLINK_OWN}"),
        ),
    ),
)
