"""`uffdviz explain`: a lock, errno, function or step in a paragraph."""

import json as js
import textwrap
from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter

from uffdviz.course.words import explain as explanations
from uffdviz.light import msgspec


def explain(
    *word: Annotated[str, Parameter(allow_leading_hyphen=True)], json: bool = False
) -> tuple[int, Iterable[str]]:
    """Say what a lock, an errno, a call, a kernel function, a step or a word of this program is.

    Parameters
    ----------
    word
        Such as mmap_lock, -EAGAIN, UFFDIO_MOVE, mfill_atomic, B3, S1, M01, v6.9, handoff.
    json
        Print one JSON document.
    """
    found = explanations(" ".join(word))
    if json:
        return 0, [js.dumps(msgspec.to_builtins(found), indent=2)]
    return 0, ["\n\n".join(paragraph(e.word, e.text, e.source) for e in found)]


def paragraph(word: str, text: str, source: str) -> str:
    """A heading, the text at a readable width, and its source."""
    return "\n".join([word, *textwrap.wrap(text, 78, break_on_hyphens=False), f"Source: {source}"])
