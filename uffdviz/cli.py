"""Arguments in, exit status out; the only place that joins the screen, the lessons and the runners.

A command gives its exit status and what to print. Nothing is printed before it has ended, so bad
input leaves standard output empty.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from uffdviz.errors import ReplayDivergedError, UffdvizError, UsageError, near_miss
from uffdviz.output import complain, hush, one_line, open_outputs, show, unwritable

if TYPE_CHECKING:
    from cyclopts import App, Token

Answer = tuple[int, Iterable[str]]
"""The exit status, and the lines to print."""

FINE, FINDING, BAD, UNFINISHED, INTERRUPTED = 0, 1, 2, 3, 130
SHELLS = Literal["bash", "zsh", "fish"]
Order = Literal["time", "round-robin", "random", "pct"]
TRACEBACK: Final = "UFFDVIZ_TRACEBACK"
WHOLE: Final = re.compile(r"[-+]?\d{1,30}(_\d{1,30})*")
MAX_SCHEDULE: Final = 4 << 20
ELSEWHERE: Final = (
    ("check", "uffdviz.run.check_command", "check"),
    ("conform", "uffdviz.run.conform_command", "conform"),
    ("diff", "uffdviz.run.export_command", "diff"),
    ("explain", "uffdviz.course.explain_command", "explain"),
    ("export", "uffdviz.run.export_command", "export"),
    ("lessons", "uffdviz.course.lessons_command", "lessons"),
    ("notes", "uffdviz.tui.notes", "notes"),
    ("scenarios", "uffdviz.run.scenario_commands", "scenarios"),
    ("serve", "uffdviz.tui.serve", "serve"),
)
"""Commands that live beside what they do: the name, the module, the function in it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say. Returns: the exit status; never raises on bad input."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    open_outputs()
    try:
        status, lines = answer(words)
        return show(status, lines)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # rich raises the second where a pipe of its is closed
        hush()
        return FINE
    except UffdvizError as error:
        complain(str(error))
        return FINDING if isinstance(error, ReplayDivergedError) else BAD
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        if why := unwritable(error):
            hush()
            complain(f"standard output: {why}")
        elif path := unreachable(error, words):
            complain(f"{path}: {str(getattr(error, 'strerror', error)).lower()}")
        else:
            said = f"{whose(error, words)}: {type(error).__name__}: {error}"
            complain(f"{said} ({TRACEBACK}=1 tells more)")
        return BAD


def whose(error: Exception, words: Sequence[str]) -> str:
    """Say whose mistake an exception is: that of a file of functions, where it was last, or ours."""
    frames = traceback.extract_tb(error.__traceback__)
    files = [str(Path(word.rpartition("=")[2])) for word in words if word.endswith(".py")]
    theirs = [frame for frame in frames if frame.filename in files]
    if theirs:
        return f"{theirs[-1].filename}:{theirs[-1].lineno}"
    return " or of ".join(["a mistake of ours", *files])


def unreachable(error: Exception, words: Sequence[str]) -> str:
    """The path among the words that the system refuses to look at; empty if the error is another one."""
    path = str(getattr(error, "filename", None) or "")
    return path[:60] if path and any(path in word for word in words) else ""


def answer(words: Sequence[str]) -> Answer:
    """Run the command that the words name."""
    if not words:
        return screen()
    if list(words) == ["--plain"]:
        return talk()
    from cyclopts import CycloptsError

    app = commands(described=words[0] in {"--help", "-h"})
    known = [name for name in app if not name.startswith("-")]
    if not words[0].startswith("-") and words[0] not in known:
        near = near_miss(words[0], known)
        msg = f"no command {words[0][:60]!r}; commands are {', '.join(sorted(known))}{near}"
        raise UsageError(msg)
    try:
        result = app(words)
    except CycloptsError as error:
        msg = f"{plain(str(error))}; see 'uffdviz --help'"
        raise UsageError(msg) from None
    if isinstance(result, int):
        return result, ()
    if isinstance(result, tuple):
        return result[0], [result[1]] if isinstance(result[1], str) else result[1]
    return FINE, ()


def plain(message: str) -> str:
    """Take the full stop and the capital from another program's message."""
    text = one_line(message).strip().removesuffix(".")
    return text[:1].lower() + text[1:]


def commands(*, described: bool = False) -> "App":
    """Build the commands; those of a part that is not installed are left out.

    Each is imported when it is run, or if all are to be described, as only it knows what it does.
    """
    from cyclopts import App, Parameter

    app = App(
        name="uffdviz",
        help="Schedule the kernel locking of Linux userfaultfd yourself, step by step. "
        "Without a command: the application; with --plain alone: the same as sentences.",
        version=version,
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
        default_parameter=Parameter(negative="", converter=converted),
    )
    own: tuple[Callable[..., Answer], ...] = (run, replay, compare, play)
    for command in own:
        app.command(command)
    app.command(completion(app), name="completion")
    for name, module, function in ELSEWHERE:
        if exists(module):
            there = getattr(import_module(module), function) if described else None
            app.command(there or f"{module}:{function}", name=name)
    return app


def converted(kind: Any, tokens: "Sequence[Token]") -> Any:
    """Read an argument; a number that is not whole is none where a whole one is wanted."""
    from cyclopts import convert

    text = tokens[0].value if kind is int and len(tokens) == 1 else ""
    if WHOLE.fullmatch(text) is None and text:
        msg = f"expected a whole number, not {text[:40]!r}"
        raise ValueError(msg)
    return int(text) if text else convert(kind, tokens)


def exists(module: str) -> bool:
    """Whether a module is there, without importing it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def version() -> str:
    from importlib.metadata import version as installed

    return f"uffdviz {installed('uffdviz')}"


def screen(lesson: str = "") -> Answer:
    """Start the terminal application, at once with a lesson if one is named."""
    if not (exists("uffdviz.tui.app") and exists("uffdviz.course.shelf")):
        msg = "no command; see 'uffdviz --help'"
        raise UsageError(msg)
    served = "TEXTUAL_DRIVER" in os.environ
    if not served and not (sys.stdin.isatty() and sys.stderr.isatty()):
        msg = "the application needs a terminal; without one use 'uffdviz --plain', 'uffdviz run' or 'uffdviz play --headless'"
        raise UsageError(msg)
    from uffdviz.course.shelf import CourseShelf
    from uffdviz.tui.app import run as run_app

    shelf = CourseShelf()
    return run_app(shelf, shelf.open_lesson(lesson) if lesson else None), ()


def talk(lesson: str = "") -> Answer:
    """Start the application as sentences, at once with a lesson if one is named.

    Lines in, lines out, without a screen.
    """
    from uffdviz.course.shelf import CourseShelf
    from uffdviz.plain.app import conversation
    from uffdviz.plain.typed import make_readable, typed

    make_readable()
    return FINE, at_once(conversation(CourseShelf(), typed, lesson))


def at_once(lines: Iterable[str]) -> Iterable[str]:
    """Lines that are heard as soon as they are said, in a pipe too."""
    for line in lines:
        yield line
        sys.stdout.flush()


def completion(app: "App") -> Callable[..., Answer]:
    """Make the command that needs to know all the others."""

    def print_completion(shell: SHELLS, /) -> Answer:
        """Print the completion script of a shell: bash, zsh or fish."""
        return FINE, [app.generate_completion(shell=shell)]

    return print_completion


def schedule_text(said: str) -> tuple[str, str]:
    """Read what `--schedule` gave: the text, and what to call it in a message."""
    if not said.startswith("@"):
        return said, "schedule"
    path = Path(said[1:])
    called = str(path)[:200]
    try:
        if path.is_file() and path.stat().st_size > MAX_SCHEDULE:
            msg = f"{called}: larger than 4 MiB, which no schedule is"
            raise UsageError(msg)
        return path.read_text(encoding="utf-8-sig"), called
    except UnicodeDecodeError:
        msg = f"{called}: not text: a schedule is one instruction a line"
        raise UsageError(msg) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"{called}: {reason.lower()}"
        raise UsageError(msg) from None


def run(  # noqa: PLR0913  an argument per option
    scenario: str,
    /,
    *,
    era: str = "",
    mutate: Sequence[str] = (),
    schedule: str = "",
    scheduler: Order = "time",
    seed: int = 0,
    record: Path | None = None,
    plain: bool = False,
    json: bool = False,
) -> Answer:
    """Run a scenario once: events in words, then the totals.

    Parameters
    ----------
    scenario
        A path, or the name of a shipped scenario.
    era
        The kernel to run; the scenario says which if this does not.
    mutate
        A mistake to put in: M01, or a file of functions. May be repeated.
    schedule
        Who moves when, in words; @FILE reads them from a file.
    scheduler
        Who moves after the schedule: by virtual time, in turn, or by chance.
    seed
        What the chance of random and pct is made of.
    record
        The file for the recording.
    plain
        As sentences that say all that each event changed.
    json
        Print one JSON document.
    """
    from uffdviz.run.commands import run_command

    return run_command(
        scenario,
        era,
        tuple(mutate),
        schedule_text(schedule),
        scheduler,
        seed,
        record,
        plain=plain,
        json=json,
    )


def replay(recording: str, /, *, json: bool = False) -> Answer:
    """Run a recording or token again and compare event by event.

    Parameters
    ----------
    recording
        The file of a recording, or a token.
    json
        Print one JSON document.
    """
    from uffdviz.run.commands import replay_command

    return replay_command(recording, json=json)


def play(
    lesson: str,
    /,
    *,
    headless: bool = False,
    plain: bool = False,
    json: bool = False,
) -> Answer:
    """Play a lesson, on the screen, as sentences, or as text that needs nobody.

    Parameters
    ----------
    lesson
        A path, or the name of a shipped lesson.
    headless
        Tell all of it as text, and fail if an expectation does not hold.
    plain
        As sentences, with commands that are typed or come from a pipe; with --headless, or where
        nothing can be typed, all of it as text, with a sentence for each step.
    json
        As one JSON document.
    """
    from uffdviz.course.play_command import play_headless
    from uffdviz.plain.typed import nobody_types

    if not (headless or json or (plain and nobody_types())):
        return talk(lesson) if plain else screen(lesson)

    return play_headless(lesson, plain=plain, json=json)


def compare(  # noqa: PLR0913  an argument per option
    scenario: str,
    /,
    *,
    eras: str,
    mutate: Sequence[str] = (),
    schedule: str = "",
    sweep: str = "",
    jobs: int = 1,
    cluster: str = "",
    costs: str = "",
    json: bool = False,
) -> Answer:
    """Run the same calls under several eras and set the totals side by side.

    Parameters
    ----------
    scenario
        A path, or the name of a shipped scenario.
    eras
        The kernels, such as v6.8,v6.9; the first is what the others are measured by.
    mutate
        A mistake to put into each. May be repeated.
    schedule
        Who moves when, in words; @FILE reads them from a file.
    sweep
        NAME=A..B: a cost or a number of tasks that takes the values from A to B.
    jobs
        How many processes share the runs.
    cluster
        The address of a Dask scheduler that hands the runs out.
    costs
        A file of costs, or the name of a shipped one such as qemu.
    json
        Print one JSON document.
    """
    from uffdviz.run.compare_command import compare_command

    return compare_command(
        scenario,
        eras,
        tuple(mutate),
        schedule_text(schedule),
        json=json,
        sweep=sweep,
        jobs=jobs,
        cluster=cluster,
        costs=costs,
    )
