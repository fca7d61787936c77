"""A kernel function of the model as text: its own source, without what only Python needs.

What is shown and what is run are one thing, so they cannot differ: `await`, `k.`, types, costs and
the docstring are left out, each statement keeps the label that its events carry.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

from uffdviz.kernel.labels import kernel_name, labels

Row = tuple[str, str, int]
"""The label of a step, the text, and the line of the function that begins there; -1: none does."""


class Source(NamedTuple):
    """A kernel function as text."""

    function: str
    rows: Sequence[Row]

    def row(self, line: int) -> int:
        """The row that has a line of the function: the last one that begins there or before."""
        first = max((row[2] for row in self.rows if row[2] <= line), default=0)
        return next(number for number, row in enumerate(self.rows) if row[2] == first)


@cache
def source(code: CodeType) -> Source:
    """A kernel function that is run, with the label of each step."""
    rows, first = inspect.getsourcelines(code)
    tree = ast.parse(textwrap.dedent("".join(rows)))
    function = tree.body[0]
    assert isinstance(function, ast.AsyncFunctionDef)
    known = {line - first + 1: text for line, text in labels(code.co_filename).items()}
    arguments = ", ".join(a.arg for a in function.args.args if a.arg != "k")
    options = "".join(f", {a.arg}" for a in function.args.kwonlyargs)
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    name = kernel_name(function.name)
    head = ("", f"{name}({arguments}{options})", 0)
    return Source(name, (head, *_block([Plain().visit(s) for s in body], known, 1)))


class Plain(ast.NodeTransformer):
    """Takes away `await`, `k.`, `k.stage.`, and turns steps into what they do."""

    def visit_Await(self, node: ast.Await) -> Any:
        """The thing itself."""
        return self.visit(node.value)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """`k.name` and `k.stage.name` are `name`."""
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "stage":
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id == "k":
            return ast.Name(node.attr, ast.Load())
        return ast.Attribute(self.visit(node.value), node.attr, ast.Load())

    def visit_Call(self, node: ast.Call) -> Any:
        """`Step(thing, verb, …)` is `verb(thing, …)`, `Work("name")` is `name()`."""
        args = [self.visit(arg) for arg in node.args]
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "Step" and len(args) >= 2:
            return ast.Call(args[1], [args[0], *args[2:]], [])
        if name == "Work" and isinstance(node.args[0], ast.Constant):
            return ast.Call(ast.Name(str(node.args[0].value), ast.Load()), [], [])
        keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        return ast.Call(self.visit(node.func), args, keywords)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """Without the type."""
        value = self.visit(node.value) if node.value else ast.Constant(None)
        return ast.copy_location(ast.Assign([node.target], value), node)


def _block(body: Sequence[ast.stmt], known: dict[int, str], depth: int) -> Iterator[Row]:
    for statement in body:
        yield from _statement(statement, known, depth)


def _statement(node: ast.stmt, known: dict[int, str], depth: int) -> Iterator[Row]:
    pad = "    " * depth
    here = known.get(node.lineno, "")
    match node:
        case ast.If():
            yield from _branches(node, known, depth, "if")
        case ast.While():
            yield here, f"{pad}while {ast.unparse(node.test)}:", node.lineno - 1
            yield from _block(node.body, known, depth + 1)
        case ast.For():
            yield (
                here,
                f"{pad}for {ast.unparse(node.target)} in {ast.unparse(node.iter)}:",
                node.lineno - 1,
            )
            yield from _block(node.body, known, depth + 1)
        case ast.Match():
            yield here, f"{pad}match {ast.unparse(node.subject)}:", node.lineno - 1
            for case in node.cases:
                yield "", f"{pad}    case {ast.unparse(case.pattern)}:", case.pattern.lineno - 1
                yield from _block(case.body, known, depth + 2)
        case _:
            yield from _simple(node, known, pad)


def _simple(node: ast.stmt, known: dict[int, str], pad: str) -> Iterator[Row]:
    """One statement; alternatives that are steps of their own get lines of their own."""
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    steps: dict[str, int] = {}
    for line in lines:
        if known.get(line):
            steps.setdefault(known[line], line - 1)
    value = getattr(node, "value", None)
    text = ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]
    (first, _), *more = [*steps.items()] or [("", 0)]
    if not more or not isinstance(value, ast.BoolOp):
        yield first, pad + text, node.lineno - 1
        yield from ((step, f"{pad}    …", line) for step, line in more)
        return
    word = "or" if isinstance(value.op, ast.Or) else "and"
    whole, parts = ast.unparse(value), [ast.unparse(part) for part in value.values]
    yield first, pad + text.replace(whole, parts[0]), node.lineno - 1
    for number, part in enumerate(parts[1:]):
        step, line = more[number] if number < len(more) else ("", -1)
        yield step, f"{pad}    {word} {part}", line


def _branches(node: ast.If, known: dict[int, str], depth: int, word: str) -> Iterator[Row]:
    pad = "    " * depth
    here = known.get(node.lineno, "")
    yield here, f"{pad}{word} {ast.unparse(node.test)}:", node.lineno - 1
    yield from _block(node.body, known, depth + 1)
    rest = node.orelse
    if len(rest) == 1 and isinstance(rest[0], ast.If):
        yield from _branches(rest[0], known, depth, "elif")
    elif rest:
        yield "", f"{pad}else:", -1
        yield from _block(rest, known, depth + 1)
