"""The keys that a person has given to commands: `keys.toml`, read, checked, and said as they are now."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from uffdviz.errors import near_miss
from uffdviz.places import config_dir
from uffdviz.tui.keys import HELP, HOME, PALETTE, QUIT, RACE, RUN, Help, Key

FILE: Final = "keys.toml"
ALWAYS: Final = "ctrl+q"
"""Ends the program, whatever else has a key."""
SCREENS: Final[Sequence[Sequence[Key]]] = (
    RUN,
    (*HOME, HELP, QUIT),
    RACE,
)
"""The commands among which a key has one meaning only."""
NO_KEY: Final = "–"
RIGHT: Final = 'keys are written as "l,right" or "ctrl+x"'


class Keymap:
    """`chosen`: the keys of commands that have others than their own; `trouble`: what is wrong."""

    def __init__(self, table: Mapping[str, Any], where: str = FILE) -> None:
        self.chosen: dict[str, tuple[str, ...]] = {}
        self.trouble: list[str] = []
        for name, keys in table.items():
            if wrong := self._wrong(name, keys):
                self.trouble.append(f"{where}: {wrong}")
            else:
                self.chosen[name] = split(keys)

    def _wrong(self, name: str, keys: object) -> str:
        """Say why a command cannot have such keys; nothing if it can."""
        known = sorted({key.name for screen in SCREENS for key in screen} - {"task"})
        if name not in known:
            return f"no command {name!r}{near_miss(name, known)}"
        if not isinstance(keys, str) or not split(keys):
            return f"{name} = {keys!r} is no key: {RIGHT}"
        for key in split(keys):
            if wrong := no_key(key) or self._taken(name, key):
                return f"{name} = {key!r}: {wrong}"
        return ""

    def _taken(self, name: str, key: str) -> str:
        """Say which command of the same screen was given a key before."""
        for screen in SCREENS:
            names = {one.name for one in screen}
            for other, keys in self.chosen.items():
                if {name, other} <= names and key in keys:
                    return f"{other} has that key already, choose another"
        return ""

    def now(self, key: Key, screen: Sequence[Key]) -> Key:
        """A command as it is to be named, with the keys that it has now."""
        if not self.chosen:
            return key
        own = split(key.keys)
        given = {one for other in screen for one in self.chosen.get(other.name, ())}
        keys = self.chosen.get(key.name) or tuple(one for one in own if one not in given)
        if keys == own or key.name == "task":
            return key
        what = re.sub(r"; \w does the same$", "", key.what)
        shown = ", ".join(map(sign, keys)) or NO_KEY
        return key._replace(keys=",".join(keys), shown=shown, what=what)

    def said(self, about: Help) -> Help:
        """A help with the keys as they are now."""
        if not self.chosen:
            return about
        changed = {
            (key.shown, key.what): self.now(key, screen) for screen in SCREENS for key in screen
        }
        sentence, tables = about
        return sentence, tuple(
            (title, tuple(self._row(row, changed.get(row)) for row in rows))
            for title, rows in tables
        )

    def _row(self, row: tuple[str, str], key: Key | None) -> tuple[str, str]:
        return row if key is None else (key.shown, key.what)


def split(keys: str) -> tuple[str, ...]:
    """The single keys of a list with commas, each by its long name."""
    return tuple(map(long_name, filter(None, map(str.strip, keys.split(",")))))


def long_name(key: str) -> str:
    """The name of a key that is written as the sign it has."""
    from textual.keys import KEY_NAME_REPLACEMENTS

    if len(key) != 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def sign(key: str) -> str:
    """How a key is named on the screen."""
    known = {split(one.keys)[0]: one.shown for one in (*RUN, *RACE, PALETTE) if one.keys}
    if len(key) == 1 or key not in known:
        return re.sub(r"^ctrl\+(?=.$)", "^", key)
    return known[key]


def no_key(key: str) -> str:
    """Say why there is no such key to be had; nothing if there is."""
    from textual.keys import REPLACED_KEYS, Keys

    if key == ALWAYS:
        return "that always quits"
    shift = re.fullmatch(r"shift\+([a-z])", key)
    if shift:
        return f"write {shift[1].upper()!r}"
    base = re.sub(r"^((ctrl|alt|shift|super)\+)+", "", key)
    names = {one.value for one in Keys if "+" not in one.value and "<" not in one.value}
    spelled = REPLACED_KEYS.get(base, base).replace("_", " ")
    if len(base) == 1 or base in names or _is_character(spelled):
        return ""
    near = near_miss(base, sorted(names))
    return f"there is no such key{near}; {RIGHT}"


def _is_character(name: str) -> bool:
    try:
        return bool(unicodedata.lookup(name))
    except KeyError:
        pass
    try:
        return bool(unicodedata.lookup(name.replace(" ", "-")))
    except KeyError:
        return False


def read_keymap() -> Keymap:
    """Read the file, if there is one."""
    path = config_dir() / FILE
    if not path.is_file():
        return Keymap({})
    import tomllib

    try:
        return Keymap(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecursionError) as error:
        found = Keymap({})
        found.trouble.append(f"{path}: {' '.join(str(error).split())}")
        return found
