"""What the screen remembers of a person's taste: the theme, the panel in front, lecture mode."""

import tomllib
from typing import Any, Final

from uffdviz.places import config_dir

FILE: Final = "screen.toml"


def remembered() -> dict[str, Any]:
    """Everything that was kept; nothing if that cannot be read."""
    try:
        return tomllib.loads((config_dir() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def remember(key: str, value: str) -> None:
    """Keep a choice beside the others; a folder that cannot be written is no reason to stop."""
    import tomlkit

    table = {**remembered(), key: value}
    try:
        config_dir().mkdir(parents=True, exist_ok=True)
        _ = (config_dir() / FILE).write_text(tomlkit.dumps(table), encoding="utf-8")
    except OSError:
        return
