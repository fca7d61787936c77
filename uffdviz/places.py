"""Where things are: the course that was shipped, and the folders of the person who runs it."""

from pathlib import Path

from uffdviz.errors import UsageError

_APP = "uffdviz"


def lessons_dir() -> Path:
    """Find the course: inside the package in a wheel, at the top of a checkout."""
    package = Path(__file__).resolve().parent
    installed, checkout = package / "_data" / "lessons", package.parent / "lessons"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    msg = f"no lessons in {installed} or {checkout}: install uffdviz again"
    raise UsageError(msg)


def scenarios_dir() -> Path:
    return lessons_dir() / "scenarios"


def state_dir() -> Path:
    """Find the folder for progress through the course."""
    from platformdirs import user_state_path

    return user_state_path(_APP, appauthor=False)


def lectures_dir() -> Path:
    """Find the folder where lectures that are going on can be heard, one socket each."""
    return state_dir() / "lectures"


def config_dir() -> Path:
    """Find the folder for keys and other preferences."""
    from platformdirs import user_config_path

    return user_config_path(_APP, appauthor=False)


def data_dir() -> Path:
    """Find the folder for saved recordings."""
    from platformdirs import user_data_path

    return user_data_path(_APP, appauthor=False)
