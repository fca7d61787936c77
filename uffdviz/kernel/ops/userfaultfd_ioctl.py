"""The ioctls that fill pages, around their bodies in mm/userfaultfd.c.

Kernel: fs/userfaultfd.c. Step numbers are those of the reference, section 0.
They return the bytes done if there are any, else the errno; the kernel says -EAGAIN and writes the
bytes into the argument if it was less than asked for (P11).
Left out: unaligned sources, addresses outside the task's size, unknown mode bits.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EFAULT, EINVAL, ESRCH
from uffdviz.kernel.objects import PAGE_SIZE, Uffd
from uffdviz.kernel.steps import Work

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def validate_range(start: int, length: int) -> int:
    """Whether a range is made of whole pages. Kernel: fs/userfaultfd.c."""
    return EINVAL if start % PAGE_SIZE or length % PAGE_SIZE or length <= 0 else 0


async def userfaultfd_changing(k: "Kernel", ctx: Uffd) -> int:
    """Turn an operation away while the monitor has an event to read: a fast exit, no guarantee.

    Kernel: fs/userfaultfd.c, at the top of each ioctl.
    """
    return EAGAIN if await k.read_once(ctx.mmap_changing) else 0  # P1


async def userfaultfd_done(k: "Kernel", ctx: Uffd, start: int, done: int, *, dontwake: bool) -> int:
    """Tell the caller what was done, and wake who waits for these pages.

    Nothing done and no error would wake everybody, for that is what a range of length 0 means.
    Kernel: fs/userfaultfd.c, at the end of each ioctl.
    Returns: `done`, -EAGAIN if that is nothing, or -EFAULT with the work done.
    """
    if await Work("put_user", cost="copy_arg", errno=EFAULT):  # P8
        return EFAULT
    if done >= 0 and not dontwake:
        await k.wake_userfault(ctx, start, done)  # P10
    return done or EAGAIN


async def userfaultfd_copy(
    k: "Kernel",
    ctx: Uffd,
    dst: int,
    src: int,
    length: int,
    *,
    wp: bool = False,
    dontwake: bool = False,
) -> int:
    """UFFDIO_COPY: fill missing pages with copies.

    Kernel: fs/userfaultfd.c, userfaultfd_copy().
    Returns: the bytes done, or a negative errno.
    """
    if err := await k.userfaultfd_changing(ctx):  # P1
        return err
    if await Work("copy_from_user", cost="copy_arg", errno=EFAULT):  # P2
        return EFAULT
    if err := validate_range(dst, length):
        return err
    if not await k.mmget_not_zero(ctx.mm):  # P5
        return ESRCH
    done = await k.mfill_atomic(ctx, dst, src, length, "copy", wp=wp)  # P6
    await k.mmput(ctx.mm)  # P7
    return await k.userfaultfd_done(ctx, dst, done, dontwake=dontwake)  # P8


async def userfaultfd_zeropage(
    k: "Kernel", ctx: Uffd, start: int, length: int, *, dontwake: bool = False
) -> int:
    """UFFDIO_ZEROPAGE: fill missing pages with zeroes.

    Kernel: fs/userfaultfd.c, userfaultfd_zeropage().
    Returns: the bytes done, or a negative errno.
    """
    if err := await k.userfaultfd_changing(ctx):  # P1
        return err
    if await Work("copy_from_user", cost="copy_arg", errno=EFAULT):  # P2
        return EFAULT
    if err := validate_range(start, length):
        return err
    if not await k.mmget_not_zero(ctx.mm):  # P5
        return ESRCH
    done = await k.mfill_atomic(ctx, start, 0, length, "zeropage")  # P6
    await k.mmput(ctx.mm)  # P7
    return await k.userfaultfd_done(ctx, start, done, dontwake=dontwake)  # P8


async def userfaultfd_continue(
    k: "Kernel",
    ctx: Uffd,
    start: int,
    length: int,
    *,
    wp: bool = False,
    dontwake: bool = False,
) -> int:
    """UFFDIO_CONTINUE: map pages that the page cache has.

    Kernel: fs/userfaultfd.c, userfaultfd_continue().
    Returns: the bytes done, or a negative errno.
    """
    if err := await k.userfaultfd_changing(ctx):  # P1
        return err
    if await Work("copy_from_user", cost="copy_arg", errno=EFAULT):  # P2
        return EFAULT
    if err := validate_range(start, length):
        return err
    if not await k.mmget_not_zero(ctx.mm):  # P5
        return ESRCH
    done = await k.mfill_atomic(ctx, start, 0, length, "continue", wp=wp)  # P6
    await k.mmput(ctx.mm)  # P7
    return await k.userfaultfd_done(ctx, start, done, dontwake=dontwake)  # P8


async def userfaultfd_poison(
    k: "Kernel", ctx: Uffd, start: int, length: int, *, dontwake: bool = False
) -> int:
    """UFFDIO_POISON: whoever touches these pages gets SIGBUS.

    Kernel: fs/userfaultfd.c, userfaultfd_poison().
    Returns: the bytes done, or a negative errno.
    """
    if err := await k.userfaultfd_changing(ctx):  # P1
        return err
    if await Work("copy_from_user", cost="copy_arg", errno=EFAULT):  # P2
        return EFAULT
    if err := validate_range(start, length):
        return err
    if not await k.mmget_not_zero(ctx.mm):  # P5
        return ESRCH
    done = await k.mfill_atomic(ctx, start, 0, length, "poison")  # P6
    await k.mmput(ctx.mm)  # P7
    return await k.userfaultfd_done(ctx, start, done, dontwake=dontwake)  # P8


async def no_such_ioctl(k: "Kernel", ctx: Uffd, *args: object, **options: object) -> int:
    """Refuse what this kernel does not know. Kernel: fs/userfaultfd.c, userfaultfd_ioctl()."""
    await Work("copy_from_user", cost="copy_arg")
    return EINVAL
