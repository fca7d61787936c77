"""What can be opened on the screen: lessons, scenarios, saved recordings; and what was finished."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from uffdviz.course.catalog import pages
from uffdviz.course.load import load_lesson
from uffdviz.course.progress import finish, finished
from uffdviz.course.schema import Lesson, Play, Prose
from uffdviz.errors import LessonError, RecordingError, UffdvizError, near_miss
from uffdviz.places import data_dir
from uffdviz.trace.token import is_token, read_token

if TYPE_CHECKING:
    from uffdviz.course.guide import Guide
    from uffdviz.course.tools import RunTools
    from uffdviz.run.session import RunSession
    from uffdviz.run.setting import Setting
    from uffdviz.run.workload import Workload
    from uffdviz.trace.recording import Header


LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]*\)")
BEFORE, AFTER = "v6.8", "v6.9"
"""The kernels before and after the series."""
MARKS: Final = str.maketrans("", "", "`*")


class Entry(NamedTuple):
    """A row of the start screen: `name` opens it, `about` tells more."""

    name: str
    title: str
    chapter: str = ""
    about: str = ""
    done: bool = False


class CourseShelf:
    """Everything that was shipped, and what the person saved."""

    def lessons(self) -> Sequence[Entry]:
        """The course, by chapter."""
        done = finished()
        return [_entry(lesson, done=lesson.name in done) for lesson in shipped_lessons()]

    def scenarios(self) -> Sequence[Entry]:
        """What can be played freely."""
        from uffdviz.run.read_scenario import shipped

        return [Entry(name, *_title(path)) for name, path in shipped().items()]

    def recordings(self) -> Sequence[Entry]:
        """What was saved, newest first."""
        folder = data_dir()
        paths = folder.glob("*.jsonl") if folder.is_dir() else ()
        newest = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
        return [Entry(str(path), path.stem, about=str(path)) for path in newest]

    def eras(self) -> Sequence[str]:
        """The kernels that a scenario can be run under."""
        from uffdviz.kernel.eras.registry import eras

        return list(eras())

    def open_lesson(self, name: str) -> "RunSession":
        """Begin a lesson, by name or path.

        Raises: LessonError, ScenarioError.
        """
        from uffdviz.course.goals import Setup
        from uffdviz.run.session import RunSession

        lesson = find_lesson(name)
        setting = Setup(lesson).setting()
        blocks = lesson.blocks
        script = [(i, block.schedule) for i, block in enumerate(blocks) if isinstance(block, Play)]
        return RunSession(
            setting,
            lesson.title,
            lesson.front.era,
            header=_header(setting),
            script=script,
            lesson=lesson,
            blocks=len(blocks),
        )

    def open_goal(self, name: str, index: int) -> "RunSession":
        """Begin afresh what the goal at a place of a lesson's page is about.

        Raises: LessonError, ScenarioError.
        """
        from uffdviz.course.guide import Guide
        from uffdviz.run.session import RunSession

        guide = Guide(find_lesson(name))
        setting = guide.setup.of(guide.goal(index))
        title = f"{guide.lesson.title}: the goal"
        return RunSession(setting, title, setting.era_name, header=_header(setting))

    def guide(self, name: str) -> "Guide":
        """Judge the goals of a lesson.

        Raises: LessonError.
        """
        from uffdviz.course.guide import Guide

        return Guide(find_lesson(name))

    def after(self, name: str) -> Entry | None:
        """The lesson that comes after another one; None: there is none."""
        rows = list(self.lessons())
        names = [row.name for row in rows]
        at = names.index(name) + 1 if name in names else len(rows)
        return rows[at] if at < len(rows) else None

    def open_scenario(self, name: str, era: str = "") -> "RunSession":
        """Begin a scenario, under its own era unless another is named.

        Raises: ScenarioError.
        """
        from uffdviz.run.session import RunSession
        from uffdviz.run.setting import load_setting

        setting = load_setting(name, era)
        title = setting.scenario.title or setting.name
        return RunSession(setting, title, setting.era_name, header=_header(setting))

    def workload(self, name: str, eras: Sequence[str] = ()) -> "Workload":
        """Set a scenario under two eras side by side, by itself v6.8 and its own, or v6.9.

        Raises: ScenarioError, UsageError.
        """
        from uffdviz.run.measure import Plan
        from uffdviz.run.read_scenario import load_scenario
        from uffdviz.run.workload import Workload

        known = list(self.eras())
        own = load_scenario(name).era
        chosen = eras or (BEFORE, own if known.index(own) > known.index(BEFORE) else AFTER)
        left, right = sorted(chosen, key=known.index)
        return Workload(Plan(name, left), Plan(name, right))

    def open_recording(self, name: str) -> "RunSession":
        """Open a recording or a token, shown to its end.

        Raises: RecordingError, ReplayDivergedError.
        """
        if is_token(name):
            return self._open_token(name)
        from uffdviz.run.collector import without_collector
        from uffdviz.run.replay import replay
        from uffdviz.run.rest import LONG, open_long
        from uffdviz.run.session import RunSession
        from uffdviz.run.setting import setting_of
        from uffdviz.trace.recording import load_recording

        path = Path(name)
        if path.is_file() and path.stat().st_size > LONG:
            with without_collector():
                head, rest = open_long(path)
                setting = setting_of(head.scenario, head.name, head.era, head.mutations)
                name = head.name or path.stem
                return RunSession(setting, name, head.era, header=head, rest=rest)
        recording = load_recording(path)
        head = recording.header
        try:
            setting = setting_of(head.scenario, head.name, head.era, head.mutations)
        except UffdvizError as error:
            msg = f"{name}: {error}"
            raise RecordingError(msg) from None
        replay(setting.machine(), recording)
        title = head.name or path.stem
        return RunSession(setting, title, head.era, header=head, choices=head.schedule)

    def _open_token(self, token: str) -> "RunSession":
        from uffdviz.run.replay import follow
        from uffdviz.run.session import RunSession
        from uffdviz.run.setting import setting_of

        head = read_token(token)
        setting = setting_of(head.scenario, head.name, head.era, head.mutations)
        follow(setting.machine(), head.schedule)
        title = setting.scenario.title or head.name
        return RunSession(setting, title, head.era, header=head, choices=head.schedule)

    def tools(self, session: object) -> "RunTools | None":
        """Give what can be asked about a session; None: it is not a scenario's."""
        from uffdviz.course.tools import RunTools
        from uffdviz.run.session import RunSession
        from uffdviz.run.setting import Setting

        if isinstance(session, RunSession) and isinstance(session.setting, Setting):
            return RunTools(session, session.setting)
        return None

    def finish(self, name: str) -> None:
        """Remember that a lesson was read to its end."""
        finish(name)


@cache
def shipped_lessons() -> tuple[Lesson, ...]:
    """Every lesson of the course and of other packs, in order."""
    return tuple(load_lesson(path) for path in pages())


def find_lesson(name: str) -> Lesson:
    """The lesson that `name` means: a path, or the stem of a shipped one.

    Raises: LessonError.
    """
    path = Path(name)
    if path.suffix == ".md" or "/" in name:
        return load_lesson(path)
    known = {path.stem: path for path in pages()}
    if name in known:
        return load_lesson(known[name])
    msg = f"no lesson {name!r}{near_miss(name, known)}: a path, or a name"
    raise LessonError(msg)


def _entry(lesson: Lesson, *, done: bool) -> Entry:
    prose = next((block.text for block in lesson.blocks if isinstance(block, Prose)), "")
    first = LINK.sub(r"\1", " ".join(prose.split("\n\n")[0].split())).translate(MARKS)
    about = f"{first}\n\n{lesson.front.minutes} minutes, {lesson.front.era}"
    return Entry(lesson.name, lesson.title, chapter_title(lesson.chapter), about, done)


def chapter_title(folder: str) -> str:
    """Name a chapter by its folder: `1-faults` is `1 Faults`."""
    number, _, words = folder.partition("-")
    return f"{number} {words.replace('-', ' ').capitalize()}".strip()


def _title(path: Path) -> tuple[str, str, str]:
    """Read the title, the chapter (none) and what else a scenario says of itself."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return path.stem, "", "cannot be read"
    tasks = [str(task.get("name", "")) for task in table.get("task", ()) if isinstance(task, dict)]
    about = f"{path.stem}: {', '.join(tasks)}, {table.get('era', '')}"
    if table.get("cpus"):
        about += "\n\nA workload: r lets two kernels race through it, v varies a cost or a count."
    return str(table.get("title", path.stem)), "", about


def _header(setting: "Setting") -> "Header":
    from uffdviz.light import msgspec
    from uffdviz.trace.recording import Header

    tables = msgspec.to_builtins(setting.scenario)
    mutations = tuple(setting.mutations)
    return Header(scenario=tables, name=setting.name, era=setting.era_name, mutations=mutations)
