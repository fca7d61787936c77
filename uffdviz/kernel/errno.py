"""The error numbers that the operations of the model return, as the kernel writes them."""

from typing import Final

EINTR: Final = -4
EIO: Final = -5
EAGAIN: Final = -11
ENOMEM: Final = -12
EFAULT: Final = -14
EBUSY: Final = -16
EEXIST: Final = -17
EINVAL: Final = -22
ENOENT: Final = -2
ESRCH: Final = -3
EPERM: Final = -1
ERESTARTSYS: Final = -512
EMFILE: Final = -24
ENOSPC: Final = -28
EOPNOTSUPP: Final = -95

NAMES: Final = {v: f"-{k}" for k, v in sorted(globals().items()) if k.startswith("E")}


def errno_name(code: int) -> str:
    """`-EAGAIN` for -11; a number without a name as it is."""
    return NAMES.get(code, str(code))
