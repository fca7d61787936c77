"""The line of keys at the bottom of a screen."""

from collections.abc import Iterable

from uffdviz.tui.keys import Key
from uffdviz.tui.render.line import Line, Span, width_of


def key_bar(keys: Iterable[Key], width: int) -> Line:
    """Key and word, as many as there is room for; a click on either presses the key, if it is one."""
    spans = [Span(" ")]
    for key in keys:
        if key.short:
            target = f"key:{key.name}" if key.action and key.name != "task" else ""
            more = [Span(key.shown, "key", target), Span(f" {key.short}  ", "", target)]
            spans += more if width_of((*spans, *more)) <= width + 2 else []
    return tuple(spans)
