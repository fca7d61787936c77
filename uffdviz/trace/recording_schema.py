"""The JSON Schema of a recording's lines, made from the records themselves.

`recording.schema.json` beside this file is what it gives; a test keeps the two equal.
"""

from typing import Any

from uffdviz.light import msgspec
from uffdviz.trace.events import WORDS, Event
from uffdviz.trace.recording import FORMAT, VERSION, Header, Last


def recording_schema() -> dict[str, Any]:
    """Describe one line of a recording: the first, an event, or the last."""
    refs, parts = msgspec.json.schema_components(
        (Header, Event, Last), ref_template="#/$defs/{name}"
    )
    header = parts["Header"]
    header["properties"] = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        **header["properties"],
    }
    header["required"] = ["format", "version", *header["required"]]
    parts["Event"]["properties"]["fact"] = {"enum": sorted(WORDS)}
    for part in parts.values():
        part.pop("description", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One line of a {FORMAT}, version {VERSION}",
        "description": "JSON lines: a header, an event a line, and a last line with the number of "
        "events and a digest of the bytes of all lines before it.",
        "oneOf": list(refs),
        "$defs": parts,
    }
