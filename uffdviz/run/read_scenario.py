"""Reading a scenario file: what does not fit is refused with place, value and what would be right."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from msgspec import inspect

from uffdviz.errors import ScenarioError, near_miss
from uffdviz.light import msgspec
from uffdviz.places import scenarios_dir
from uffdviz.run.scenario import Scenario, wrong
from uffdviz.run.sense import make_sense

LIMIT: Final = 1 << 20
TOKEN: Final = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_SHOWN: Final = 40
FORMS: Final = {
    " | null": "",
    "str": "text",
    "array": "a list",
    "object": "a table",
    "bool": "true or false",
}
"""What msgspec calls a form, and what TOML and people do."""
MOST: Final = 1 << 62
"""The largest number of a table of numbers, as `Natural` has it."""


def shipped() -> dict[str, Path]:
    """The scenarios that come with the program, by name."""
    return {path.stem: path for path in sorted(scenarios_dir().glob("*.toml"))}


def find_scenario(name: str) -> Path:
    """The file that `name` means: a path, or the stem of a shipped scenario."""
    path = Path(name)
    if path.suffix == ".toml" or "/" in name or path.is_file():
        return path
    known = shipped()
    if name in known:
        return known[name]
    msg = f"no scenario {_short(name)}{near_miss(name, known) or ''}: a path, or a name"
    raise wrong(msg)


def load_scenario(name: str) -> Scenario:
    """Read a scenario by path or shipped name.

    Raises: ScenarioError, one line with the file, the key, the value and what would be right.
    """
    path = find_scenario(name)
    return parse_scenario(_read(path), path.name)


def parse_scenario(text: str, file: str) -> Scenario:
    """Read a scenario from its text; `file` is what messages call it."""
    if len(text) > LIMIT:
        msg = f"{file}: larger than 1 MiB, which no scenario is"
        raise wrong(msg)
    try:
        table = tomllib.loads(text)
        return scenario_of(table, file)
    except tomllib.TOMLDecodeError as error:
        msg = f"{file}: not TOML: {_one_line(str(error))}"
        raise wrong(msg) from None
    except RecursionError:
        msg = f"{file}: nested too deep"
        raise wrong(msg) from None


def scenario_of(table: dict[str, Any], file: str) -> Scenario:
    """Read a scenario from tables, as a recording holds it."""
    try:
        scenario = msgspec.convert(table, Scenario)
    except msgspec.ValidationError as error:
        refuse(file, table, str(error))
    try:
        make_sense(scenario)
    except ScenarioError as error:
        msg = f"{file}: {error}"
        raise wrong(msg) from None
    return scenario


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            msg = f"{path}: a folder, not a scenario file"
            raise wrong(msg)
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise wrong(msg) from None
    except ValueError:
        msg = f"{str(path)!r}: not a path"
        raise wrong(msg) from None
    if len(data) > LIMIT:
        msg = f"{path.name}: larger than 1 MiB, which no scenario is"
        raise wrong(msg)
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{path.name}: line {line}: not UTF-8 text"
        raise wrong(msg) from None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def refuse(file: str, table: Any, message: str, form: type = Scenario) -> NoReturn:
    """Say what msgspec says of a table of a form, with the names of the file, the value, and a near miss.

    Raises: ScenarioError.
    """
    what, _, path = message.partition(" - at `$")
    tokens = [a or b for a, b in TOKEN.findall(path.rstrip("`"))]
    if tokens[-1:] == ["..."]:
        tokens[-1] = _odd_one(table, tokens[:-1])
    place = ", ".join(_place(table, tokens))
    here = f"{file}: {place}: " if place else f"{file}: "
    words = list(_allowed(table, tokens, form))
    raise wrong(here + _what(what, table, tokens, words))


def _place(value: Any, tokens: list[str]) -> Iterator[str]:
    """Name the tables on the way: by their `name` or `op`, else by their number."""
    key = ""
    for token in tokens:
        value = _get(value, token)
        if not token.isdigit():
            key = token
            if not isinstance(value, (list, tuple)):
                yield token
            continue
        number = int(token) + 1
        if not isinstance(value, dict):
            yield f"{key} {number}"
        elif isinstance(value.get("op"), str):
            yield f"{key} {number} ({_short(value['op'])})"
        elif isinstance(value.get("name"), str):
            yield f"{key} {_short(value['name'])}"
        else:
            yield f"{key} {number}"
    if isinstance(value, list) and key:
        yield key


def _get(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, (list, tuple)) and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    return None


def _odd_one(table: dict[str, Any], tokens: list[str]) -> str:
    """The key of the first value, in a table of numbers, that is none."""
    value: Any = table
    for token in tokens:
        value = _get(value, token)
    odd = (str(k) for k, v in value.items() if type(v) is not int or not 0 <= v <= MOST)
    return next(odd, "...")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _said(value: Any) -> str:
    """A value as the file has it."""
    return str(value).lower() if isinstance(value, bool) else _short(value)


def _what(what: str, table: Any, tokens: list[str], words: list[str]) -> str:
    value: Any = table
    for token in tokens:
        value = _get(value, token)
    if match := re.search(r"unknown field `(.*)`", what):
        return f"unknown key {_short(match[1])}" + (
            near_miss(match[1], words) or f"; keys are {', '.join(words)}"
        )
    if match := re.search(r"missing required field `(.*)`", what):
        return f"key {match[1]!r} is missing"
    if what.startswith("Invalid "):
        word = value.get("op", "") if isinstance(value, dict) else value
        kind = "op" if tokens[-1:] == ["op"] else "value"
        hint = near_miss(str(word), words) or f"; known are {', '.join(words)}"
        return f"unknown {kind} {_short(word)}{hint}"
    got = re.sub(r", got `\w+`", "", what).replace("`", "").replace("Expected", "expected")
    for theirs, ours in FORMS.items():
        got = got.replace(theirs, ours)
    return f"{got}, not {_said(value)}"


def _allowed(table: Any, tokens: list[str], form: type) -> Iterator[str]:
    """The keys, ops or words that the format knows at this place."""
    here: Any = inspect.type_info(form)
    value: Any = table
    for token in tokens:
        value = _get(value, token)
        here = _step_into(here, token, value)
    for kind in getattr(here, "types", (here,)):
        if isinstance(kind, inspect.StructType):
            tag = [kind.tag_field] if kind.tag_field else []
            yield from (*tag, *(f.encode_name for f in kind.fields))
        elif isinstance(kind, inspect.LiteralType):
            yield from map(str, kind.values)


def _step_into(here: Any, token: str, value: Any) -> Any:
    """The type of what `token` names inside a value of type `here`."""
    for kind in getattr(here, "types", (here,)):
        if isinstance(kind, inspect.StructType):
            if kind.tag_field == token:
                return inspect.LiteralType(tuple(k.tag for k in here.types if hasattr(k, "tag")))
            found = next((f.type for f in kind.fields if f.encode_name == token), None)
            if found is not None:
                return found
        elif isinstance(kind, inspect.VarTupleType):
            return _variant(kind.item_type, value)
    return None


def _variant(item: Any, value: Any) -> Any:
    """Of the kinds of call, the one that `value` says it is."""
    op = value.get("op") if isinstance(value, dict) else None
    for kind in getattr(item, "types", ()):
        if isinstance(kind, inspect.StructType) and kind.tag == op:
            return kind
    return item
