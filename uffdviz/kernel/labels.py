"""Where a task is: the numbered step of the reference, read from the source itself.

Every `await` of a kernel function ends in a comment with the step's label, e.g. `# B2`. This file
finds those comments, so the label of a line is written once, beside the line.
"""

import re
from functools import cache
from types import CodeType
from typing import Any

LABEL = re.compile(r"#\s*([A-Za-z]{0,3}\d+[a-z]?|[A-Z]{1,2}U|AO|mU|wU)(?=[\s:,]|$)")
OUR_OWN = frozenset({"observed_call", "life", "perform", "_uffd_call", "_mm_call"})
"""What is on the way to a kernel function and is none."""
RELEASE = re.compile(r"_v\d+_\d+$")


def kernel_name(name: str) -> str:
    """The kernel's name of a function; where the model has it of two releases, one says which."""
    return RELEASE.sub("", name)


@cache
def labels(filename: str) -> dict[int, str]:
    """The label of each source line of `filename` that belongs to a labelled await."""
    with open(filename, encoding="utf-8") as file:  # noqa: PTH123  pathlib is slow to import
        source = file.read()
    return labels_of(source) if LABEL.search(source) else {}


def labels_of(source: str) -> dict[int, str]:
    """The label of each line of a source, without those that no await stands on."""
    import ast
    import io
    import tokenize

    comments = {
        token.start[0]: match[1]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and (match := LABEL.match(token.string))
    }
    found: dict[int, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Await):
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            label = next((comments[line] for line in lines if line in comments), "")
            found.update(dict.fromkeys(lines, label))
    return found


@cache
def label(code: CodeType, lasti: int) -> str:
    """The label of the line where an instruction of `code` stands; empty if it has none."""
    try:
        return labels(code.co_filename).get(line(code, lasti), "")
    except OSError:
        return ""


def line(code: CodeType, lasti: int) -> int:
    """The line of the file from which an instruction of `code` was made; 0: of none."""
    found = (number for start, end, number in code.co_lines() if start <= lasti < end)
    return next(found, 0) or 0


Spot = tuple[CodeType, int]
"""An instruction of a function that is run."""
Spots = tuple[Spot, ...]


def place(coro: Any) -> tuple[tuple[str, str], Spots]:
    """Where a suspended coroutine waits.

    Returns: the innermost labelled function and the label there; and the spots in the last three
    functions whose entry was noted, which are the last ones of the task's stack.
    """
    function, step = "", ""
    frames, entered = [], False
    while coro is not None and hasattr(coro, "cr_code"):
        code = coro.cr_code
        here = coro.cr_frame
        if entered:
            frames.append(here)
        entered = code.co_name == "observed_call"
        if here is not None and code.co_name not in OUR_OWN:
            found = label(code, here.f_lasti)
            if found or not function:
                function, step = kernel_name(code.co_name), found
        coro = coro.cr_await
    return (function, step), tuple([(one.f_code, one.f_lasti) for one in frames[-3:]])
