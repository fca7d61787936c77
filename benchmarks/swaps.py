"""Delete or swap single lines of the kernel, one at a time: each change must turn a test red.

    .venv/bin/python -m benchmarks.swaps                        # both seeds: prints the page
    .venv/bin/python -m benchmarks.swaps --write                # keeps it as docs/swaps.md
    .venv/bin/python -m benchmarks.swaps --write --resume       # only what the page lacks
    .venv/bin/python -m benchmarks.swaps --seed 7 --count 80    # other changes

A change is made in a copy of the tree. The tests are those of the kernel, of conformance, of
random and shipped scenarios, of guards and of the mistakes, the nearest first, until one is red. Tests that
compare golden files do not count. Exit status 1 if a change that is not in EXPLAINED survives.
"""

import argparse
import ast
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import chain, pairwise, zip_longest
from pathlib import Path
from queue import SimpleQueue

from benchmarks.swaps_explained import EXPLAINED

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "swaps.md"
FOLDERS = ("locks", "ops", "eras")
KERNEL = Path("uffdviz", "kernel")
SIMPLE = (
    ast.Expr,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Return,
    ast.Raise,
    ast.Continue,
    ast.Break,
)
LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
TESTS = (
    "tests/kernel/test_step_order_scenarios.py",
    "tests/run/test_random_scenarios.py",
    "tests/run/test_shipped_*.py",
    "tests/run/test_guards.py",
    "tests/run/test_setting.py",
    "tests/run/test_conform.py",
    "tests/kernel/**/test_*.py",
    "tests/check/test_*.py",
)
"""The tests that may notice a change, fastest to fail first."""
GOLDEN = frozenset({"tests/kernel/test_model_table.py"})
"""Of these, what compares a kept page. Tests with syrupy's snapshots do not count either."""
UNCOPIED = (".*", "__pycache__", "docs")
MEMORY = 3 << 30
"""Bytes that the tests of a change may have: some changes make a loop that never ends."""
INTRODUCTION = """# Single lines deleted or swapped, and the test that noticed

Made by `.venv/bin/python -m benchmarks.swaps --write`. Each change is made alone, in a copy of the
tree; then the tests run until the first is red. Golden files are switched off: no test counts that
compares one. Changes that could only crash (a name is read before it is bound) or that nobody can
see (a name gets its value a line earlier or later) are not picked. Line numbers are those of the day.
Seconds are those of one small machine, two changes at a time.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One line deleted, or two neighbours swapped."""

    file: Path
    function: str
    kind: str
    line: int
    text: str
    """The line, or both with ` / ` between them."""
    changed: tuple[str, ...] = field(repr=False)
    """All lines of the file after the change."""

    @property
    def source(self) -> str:
        """The whole file after the change."""
        return "\n".join(self.changed) + "\n"

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines above are added."""
        return self.function, self.kind, self.text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests said: the first one that was red, or none."""

    red: str
    seconds: float


def kernel_files(root: Path) -> list[Path]:
    """The files that are changed, relative to the tree."""
    found = chain.from_iterable((root / KERNEL / folder).glob("*.py") for folder in FOLDERS)
    return sorted(path.relative_to(root) for path in found)


def changes_of(file: Path, source: str) -> list[Change]:
    """Every change of one file that is worth a try. It compiles: a block is never left empty."""
    lines = source.splitlines()
    found = []
    for scope, block in blocks(ast.parse(source), None):
        if scope is None or (isinstance(scope, ast.ClassDef) and file.parent.name != "eras"):
            continue
        once = bound_once(scope)
        for statement in block:
            if may_go(statement, once) and not is_result(statement, scope):
                rest = [f"{' ' * statement.col_offset}pass"] if len(block) == 1 else []
                changed = [*lines[: statement.lineno - 1], *rest, *lines[statement.lineno :]]
                found.append(
                    Change(file, scope.name, "delete", *told(lines, statement), tuple(changed))
                )
        for one, other in pairwise(block):
            if not isinstance(scope, ast.ClassDef) and may_swap(one, other, once):
                changed = list(lines)
                changed[one.lineno - 1] = lines[other.lineno - 1]
                changed[other.lineno - 1] = lines[one.lineno - 1]
                found.append(
                    Change(file, scope.name, "swap", *told(lines, one, other), tuple(changed))
                )
    return found


Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def blocks(node: ast.AST, scope: Scope | None) -> Iterator[tuple[Scope | None, list[ast.stmt]]]:
    """The blocks of statements, each with the function or class it stands in."""
    if isinstance(node, Scope):
        scope = node
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield scope, block
    for child in ast.iter_child_nodes(node):
        yield from blocks(child, scope)


def told(lines: list[str], *statements: ast.stmt) -> tuple[int, str]:
    """The number of the first line, and the text of all."""
    texts = (" ".join(lines[statement.lineno - 1].split()) for statement in statements)
    return statements[0].lineno, " / ".join(texts)


def is_line(statement: ast.stmt) -> bool:
    """Whether it is one simple statement on one line, and no docstring or bare type."""
    return (
        isinstance(statement, SIMPLE)
        and statement.lineno == statement.end_lineno
        and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        and not (isinstance(statement, ast.AnnAssign) and statement.value is None)
    )


def names(statement: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The names that are read or bound somewhere in a statement."""
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def bound_once(scope: Scope) -> frozenset[str]:
    """Names of a function that have no value before one certain statement."""
    if isinstance(scope, ast.ClassDef):
        return frozenset()
    bound = Counter(
        node.id
        for node in ast.walk(scope)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    bound.update(node.arg for node in ast.walk(scope) if isinstance(node, ast.arg))
    read = names(scope, ast.Load)
    return frozenset(name for name, times in bound.items() if times == 1 and name in read)


def may_go(statement: ast.stmt, once: frozenset[str]) -> bool:
    """Whether a line is one to delete: without it no name is read before it is bound."""
    return is_line(statement) and not names(statement, ast.Store) & once


def is_result(statement: ast.stmt, scope: Scope) -> bool:
    """Whether a line is the last of a function and gives its result: without it all is broken."""
    return isinstance(statement, ast.Return) and statement is scope.body[-1]


def may_swap(one: ast.stmt, other: ast.stmt, once: frozenset[str]) -> bool:
    """Whether two neighbours are lines to swap: no crash by name alone, and somebody may see it."""
    if not (is_line(one) and is_line(other)) or isinstance(other, LEAVES):
        return False
    made, used = names(one, ast.Store), names(one, ast.Load)
    made_next, used_next = names(other, ast.Store), names(other, ast.Load)
    if made & used_next & once or ast.dump(one) == ast.dump(other):
        return False
    depend = made & (used_next | made_next) or used & made_next
    return bool(depend) or not (is_private(one) or is_private(other))


def is_private(statement: ast.stmt) -> bool:
    """Whether no other task can see a line: it only names a value, or does work on its own data."""
    match statement:
        case ast.Expr(ast.Await(ast.Call(ast.Name("Work")))):
            return True
        case ast.Assign(targets=[ast.Name() | ast.Tuple()]) | ast.AnnAssign(target=ast.Name()):
            return not any(isinstance(node, ast.Await) for node in ast.walk(statement))
        case _:
            return False


def pick(root: Path, seed: int, count: int, before: Sequence[Change] = ()) -> list[Change]:
    """So many changes: one of every file, then more of the files that have more lines.

    Those that were picked before count, and none comes twice.
    """
    chance = random.Random(seed)
    left: dict[Path, list[Change]] = {}
    for file in kernel_files(root):
        found = changes_of(file, (root / file).read_text(encoding="utf-8"))
        kinds = [[c for c in found if c.kind == kind] for kind in ("delete", "swap")]
        for kind in kinds:
            chance.shuffle(kind)
        chance.shuffle(kinds)
        mixed = [c for pair in zip_longest(*kinds) for c in pair if c is not None]
        left |= {file: mixed} if mixed else {}
    size = {file: len(found) for file, found in left.items()}
    times = Counter(change.file for change in before)
    order = list(left)
    chance.shuffle(order)
    picked: list[Change] = []
    while len(picked) < count and any(left.values()):
        file = max((f for f in order if left[f]), key=lambda f: share(times[f], size[f]))
        change = left[file].pop(0)
        if change not in before:
            picked.append(change)
            times[file] += 1
    return picked


def share(times: int, size: int) -> float:
    """How much a file wants to be next: before all others if it was never picked."""
    return size / times if times else float("inf")


def tests_for(file: Path, root: Path) -> list[str]:
    """The files of tests that count, those named like the changed file first."""
    parts = file.stem.split("_")
    stems = ["_".join(parts[:n]) for n in range(len(parts), 0, -1)]
    near = [f"tests/kernel/test_{stem}*.py" for stem in stems]
    locks = ["tests/kernel/locks/test_*.py"] if file.parent.name == "locks" else []
    found = chain.from_iterable(sorted(root.glob(glob)) for glob in (*locks, *near, *TESTS))
    tests = dict.fromkeys(str(path.relative_to(root)) for path in found)
    return [test for test in tests if test not in GOLDEN]


class Workshop:
    """A copy of the tree, with what lies beside it, in which one change at a time is tried."""

    def __init__(self, folder: Path, root: Path = ROOT) -> None:
        self.tree = folder / "tree"
        shutil.copytree(root, self.tree, ignore=shutil.ignore_patterns(*UNCOPIED))
        if (root.parent / "shared").is_dir():
            (folder / "shared").symlink_to(root.parent / "shared")

    def judge(self, change: Change) -> Outcome:
        """Make a change, run the tests until one is red, take the change back."""
        path = self.tree / change.file
        before = path.read_text(encoding="utf-8")
        self.write(path, change.source)
        try:
            return self.run(tests_for(change.file, self.tree))
        finally:
            self.write(path, before)

    def write(self, path: Path, source: str) -> None:
        """Write a file; what was compiled from it may have the same size and second."""
        path.write_text(source, encoding="utf-8")
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()

    def run(self, tests: list[str]) -> Outcome:
        """Run tests until the first is red."""
        command = [sys.executable, "-m", "pytest", *tests, "-x", "-q", "--tb=no", "-rfE"]
        command += ["-p", "no:cacheprovider", "-p", "benchmarks.swaps", "--timeout=300"]
        begun = time.monotonic()
        ran = subprocess.run(
            command,
            cwd=self.tree,
            env=os.environ | {"PYTHONPATH": str(self.tree), "CI": "true", "COLUMNS": "1000"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - begun
        red = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
        if ran.returncode not in {0, 1, 2} or bool(ran.returncode) != bool(red):
            raise RuntimeError(ran.stdout + ran.stderr)
        return Outcome(red[1] if red else "", seconds)


def pytest_collection_modifyitems(items: list["object"]) -> None:
    """Switch golden files off: this file is a plugin of the tests that it runs."""
    items[:] = [i for i in items if "snapshot" not in getattr(i, "fixturenames", ())]


def pytest_sessionstart() -> None:
    """See to it that the tests look at the copy, not at an installed package."""
    import uffdviz

    if Path.cwd() not in Path(uffdviz.__file__).parents:
        message = f"the tests would see {uffdviz.__file__}"
        raise RuntimeError(message)


def judge_all(changes: Sequence[Change | None], jobs: int) -> Iterator[tuple[Change, Outcome]]:
    """Judge changes in as many copies as there are jobs; None is no change, which must be green."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        free: SimpleQueue[Workshop] = SimpleQueue()
        for n in range(jobs):
            (place := Path(folder, str(n))).mkdir()
            free.put(Workshop(place))

        def judge(change: Change | None) -> tuple[Change | None, Outcome]:
            workshop = free.get()
            try:
                if change is not None:
                    return change, workshop.judge(change)
                return None, workshop.run(tests_for(Path(), workshop.tree))
            finally:
                free.put(workshop)

        for done in as_completed([pool.submit(judge, change) for change in changes]):
            judged, outcome = done.result()
            if judged is not None:
                yield judged, outcome
            elif outcome.red:
                pool.shutdown(cancel_futures=True)
                message = f"{outcome.red} is red without any change"
                raise RuntimeError(message)


def kept(change: Change, lines: list[str]) -> Outcome | None:
    """What the kept page says of a change; a survivor that is not explained is tried again."""
    for line in lines:
        if line.startswith(begin := row(change)):
            test, _, rest = line.removeprefix(begin).partition(" | ")
            if test.startswith("`"):
                return Outcome(f"tests/{test.strip('`')}", float(rest.strip(" |")))
            if change.key in EXPLAINED:
                return Outcome("", 0)
    return None


def code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def where(change: Change) -> str:
    return f"{change.file.relative_to(KERNEL)}:{change.line} {change.function}()"


def row(change: Change) -> str:
    """The beginning of the row of a change."""
    return f"| {where(change)} | {change.kind} | {code(change.text)} | "


def page(judged: dict[Change, Outcome], seeds: str, count: int) -> Iterator[str]:
    """The lines of the page."""
    order = sorted(judged, key=lambda change: (change.file, change.line, change.kind))
    red = [change for change in order if judged[change].red]
    alive = [change for change in order if not judged[change].red]
    kinds = Counter(change.kind for change in order)
    files = len({change.file for change in order})
    yield INTRODUCTION
    yield (
        f"Seeds {seeds}: {len(order)} of {count} changes, in {files} files ({kinds['delete']} lines deleted, "
        f"{kinds['swap']} pairs swapped), {len(red)} red, {len(alive)} survive.\n"
    )
    yield "## Survivors\n"
    yield "| where | kind | line | why nobody can see it |"
    yield "| --- | --- | --- | --- |"
    for change in alive:
        yield f"{row(change)}{EXPLAINED.get(change.key, '**not explained**')} |"
    yield "\n## Red\n"
    yield "| where | kind | line | first red test | seconds |"
    yield "| --- | --- | --- | --- | --- |"
    for change in red:
        test = judged[change].red.removeprefix("tests/")
        yield f"{row(change)}{code(test)} | {judged[change].seconds:.0f} |"


def main() -> int:
    """Try the changes and make the page. Returns: the exit status."""
    parser = argparse.ArgumentParser(description="Delete or swap single lines of the kernel.")
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--count", type=int, default=32, help="changes for each seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"keep the page as {PAGE.name}")
    parser.add_argument("--resume", action="store_true", help="keep the rows of the page")
    given = parser.parse_args()
    changes: list[Change] = []
    for seed in given.seed:
        changes += pick(ROOT, seed, given.count, changes)
    lines = PAGE.read_text(encoding="utf-8").splitlines() if given.resume else []
    judged = {change: outcome for change in changes if (outcome := kept(change, lines))}
    first = () if given.resume else (None,)
    todo = [*first, *(change for change in changes if change not in judged)]
    text = ""
    for change, outcome in judge_all(todo, given.jobs):
        judged[change] = outcome
        said = outcome.red or f"SURVIVES: {EXPLAINED.get(change.key, 'not explained')}"
        told = f"{len(judged)}/{len(changes)} {where(change)} {change.kind} {change.text}"
        sys.stderr.write(f"{told}\n    {said} ({outcome.seconds:.0f} s)\n")
        text = "\n".join(page(judged, ", ".join(map(str, given.seed)), len(changes))) + "\n"
        if given.write:
            PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return int(any(not o.red and c.key not in EXPLAINED for c, o in judged.items()))


if __name__ == "__main__":
    sys.exit(main())
