"""What the screen remembers of a person's taste: `screen.toml` in the folder for preferences.

Whatever else stands in the file stays, comments too. A file that cannot be read is left alone.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from uffdviz.errors import near_miss
from uffdviz.places import config_dir
from uffdviz.tui.screens.layout import DECK, LAYOUTS, PANELS
from uffdviz.tui.themes import THEMES

FILE: Final = "screen.toml"
PACES: Final = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05)
"""Seconds from one step to the next when playing."""
ON, OFF = "on", "off"
KNOWN: Final[Mapping[str, Collection[Any]]] = {
    "theme": tuple(theme.name for theme in THEMES),
    "motion": (ON, OFF),
    "speed": PACES,
    "lecture": (True, False),
}
IN_LAYOUT: Final[Mapping[str, Collection[str]]] = {
    "front": DECK,
    "enlarged": ("", *PANELS),
    "hidden": tuple(name for name in PANELS if name != "now"),
}
"""What a table such as `[small]` may say, one for each layout; `hidden` is a list of such."""


def path() -> Path:
    """Where it is kept."""
    return config_dir() / FILE


def remembered() -> dict[str, Any]:
    """Everything that was kept and can be used; nothing if the file cannot be read."""
    kept = _read()
    if isinstance(kept, str):
        return {}
    names = [layout.name for layout in LAYOUTS]
    tables = {name: kept[name] for name in names if isinstance(kept.get(name), dict)}
    return {
        **{key: kept[key] for key, known in KNOWN.items() if _is_in(kept.get(key), known)},
        **{
            name: {
                key: table[key]
                for key, known in known_in(name).items()
                if key in table and _fits(key, table[key], known)
            }
            for name, table in tables.items()
        },
    }


def remembered_in(layout: str) -> dict[str, Any]:
    """What was kept for one layout."""
    found: dict[str, Any] = remembered().get(layout, {})
    return found


def trouble() -> str:
    """What is wrong with the file, in one line; empty: nothing."""
    kept = _read()
    if isinstance(kept, str):
        return kept
    return next((f"{path()}: {words}; it is not used" for words in _wrong(kept)), "")


def remember(*keys: str, value: object) -> None:
    """Keep a choice beside the others; a folder that cannot be written is no reason to stop."""
    import tomlkit

    if isinstance(_read(), str):
        return
    try:
        text = path().read_text(encoding="utf-8") if path().is_file() else ""
        kept = tomlkit.parse(text)
        *tables, key = keys
        table: Any = kept
        for name in tables:
            table = table.setdefault(name, tomlkit.table())
            if not isinstance(table, dict):
                return
        if table.get(key) == value:
            return
        table[key] = value
        config_dir().mkdir(parents=True, exist_ok=True)
        beside = path().with_suffix(".new")
        _ = beside.write_text(tomlkit.dumps(kept), encoding="utf-8")
        _ = beside.replace(path())
    except (OSError, ValueError):
        return


def _read() -> dict[str, Any] | str:
    """Read the file. Returns: what stands in it, or why it cannot be read."""
    try:
        return tomllib.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        words = " ".join(str(reason).split())
        return f"{path()}: {words}; nothing is remembered until that is mended"


def _is_in(value: object, known: Collection[Any]) -> bool:
    return any(isinstance(value, bool) is isinstance(one, bool) and value == one for one in known)


def known_in(name: str) -> Mapping[str, Collection[str]]:
    """What the table of a layout may say: in front may be whatever is in its deck, too."""
    deck = next(layout.deck for layout in LAYOUTS if layout.name == name)
    return {**IN_LAYOUT, "front": (*DECK, *(one for one in deck if one not in DECK))}


def _fits(key: str, value: object, known: Collection[str]) -> bool:
    if key == "hidden":
        return isinstance(value, list) and all(_is_in(one, known) for one in value)
    return _is_in(value, known)


def _wrong(kept: Mapping[str, Any]) -> Iterator[str]:
    for key, known in KNOWN.items():
        if key in kept and not _is_in(kept[key], known):
            yield _not_known(key, kept[key], known)
    for layout in LAYOUTS:
        table = kept.get(layout.name, {})
        if not isinstance(table, dict):
            yield f"{layout.name} is to be a table"
            continue
        for key, names in known_in(layout.name).items():
            if key in table and not _fits(key, table[key], names):
                yield _not_known(f"{layout.name}.{key}", table[key], names)


def _not_known(key: str, value: object, known: Collection[Any]) -> str:
    words = ", ".join(str(one).lower() for one in known if one != "")
    near = near_miss(value, map(str, known)) if isinstance(value, str) else ""
    return f"{key} = {value!r} is none of {words}{near}"
