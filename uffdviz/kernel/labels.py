"""Where a task is: the numbered step of the reference, read from the source itself.

Every `await` of a kernel function ends in a comment with the step's label, e.g. `# B2`. This file
finds those comments, so the label of a line is written once, beside the line.
"""

import re
from functools import cache
from types import CodeType
from typing import Any

LABEL = re.compile(r"#\s*([A-Za-z]{0,3}\d+[a-z]?|[A-Z]{1,2}U|AO|mU|wU)(?=[\s:,]|$)")
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
def label(code: CodeType, line: int) -> str:
    """The label of `line` in the file that `code` was compiled from; empty if it has none."""
    try:
        return labels(code.co_filename).get(line, "")
    except OSError:
        return ""


def place(coro: Any) -> tuple[str, str]:
    """The innermost labelled function in which a suspended coroutine waits, and the label there."""
    function, step = "", ""
    while coro is not None and hasattr(coro, "cr_code"):
        code = coro.cr_code
        if (
            code.co_name not in {"observed_call", "life", "perform", "_uffd_call", "_mm_call"}
            and coro.cr_frame is not None
        ):
            here = label(code, coro.cr_frame.f_lineno)
            if here or not function:
                function, step = kernel_name(code.co_name), here
        coro = coro.cr_await
    return function, step
