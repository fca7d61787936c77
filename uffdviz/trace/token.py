"""A run as text that can be pasted into a chat: its scenario and choices, squeezed."""

import base64
import binascii
import itertools
import json
import re
import zlib
from typing import Final

from uffdviz.errors import RecordingError
from uffdviz.light import msgspec
from uffdviz.trace.recording import Header

PREFIX: Final = "uv1."
MAX_SIZE: Final = 1 << 24
RUN: Final = re.compile(r"(.+?)(?: x(\d{1,7}))?")


def is_token(text: str) -> bool:
    return text.lstrip().startswith(PREFIX)


def write_token(header: Header) -> str:
    """Squeeze a header, with all choices in it, into letters, digits, `-` and `_`."""
    table = msgspec.to_builtins(header)
    table["schedule"] = [
        choice if count == 1 else f"{choice} x{count}"
        for choice, count in (
            (c, len(list(same))) for c, same in itertools.groupby(header.schedule)
        )
    ]
    packed = zlib.compress(msgspec.json.encode(table), 9)
    return PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_token(text: str) -> Header:
    """Read a token.

    Raises: RecordingError when it was cut off or mistyped.
    """
    body = "".join(text.split()).removeprefix(PREFIX)
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        squeezed = zlib.decompressobj()
        table = squeezed.decompress(packed, MAX_SIZE)
        if not squeezed.eof or squeezed.unused_data:
            msg = "token: cut off"
            raise RecordingError(msg)
        header = msgspec.convert(json.loads(table), Header)
    except (binascii.Error, zlib.error, msgspec.ValidationError, ValueError, RecursionError):
        msg = "token: cut off or mistyped"
        raise RecordingError(msg) from None
    return msgspec.structs.replace(header, schedule=tuple(_spread(header.schedule)))


def _spread(schedule: tuple[str, ...]) -> list[str]:
    choices: list[str] = []
    for word in schedule:
        if match := RUN.fullmatch(word):
            choices += [match[1]] * int(match[2] or 1)
        if len(choices) > MAX_SIZE:
            msg = "token: too many choices"
            raise RecordingError(msg)
    return choices
