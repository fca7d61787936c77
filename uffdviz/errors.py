"""Every error this program raises on purpose.

A message gives the place, the value, what would be right, and a near miss if there is one.
"""

from collections.abc import Iterable

_LONGEST_WORD = 64


class UffdvizError(Exception):
    """The base of all the others; its text is one line, lower case, without a full stop."""


class UsageError(UffdvizError):
    """An argument, an option or the installation is not usable."""


class ScenarioError(UffdvizError):
    """A scenario cannot be read, or says something that no kernel could be asked."""


class ScheduleError(UffdvizError):
    """A schedule cannot be read, or names a task or a landmark that is not there."""


class LandmarkError(ScheduleError):
    """A schedule was read, but this run does not go that way."""


class LessonError(UffdvizError):
    """A lesson cannot be read, or claims something that does not hold."""


class RecordingError(UffdvizError):
    """A recording cannot be read: cut off, not ours, or a digest that does not fit."""


class ReplayDivergedError(UffdvizError):
    """A recording was read, but running it again gave another event."""


class ModelError(UffdvizError):
    """The model broke one of its own rules."""


def near_miss(word: str, words: Iterable[str]) -> str:
    """Say which of `words` was probably meant, as a tail for an error message."""
    from difflib import get_close_matches

    if len(word) > _LONGEST_WORD:
        return ""
    known = {candidate.casefold(): candidate for candidate in sorted(words, reverse=True)}
    for match in get_close_matches(word.casefold(), known, n=1):
        return f" (did you mean {known[match]!r}?)"
    return ""
