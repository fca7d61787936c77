"""Narration: a little Markdown as lines. Paragraphs, lists, headings, `code`, emphasis."""

import re

from uffdviz.tui.render.line import Line, Span, flow, line

PIECE = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*|(?<!\w)[*_][^*_]+[*_](?!\w))|\[([^\]]+)\]\([^)]*\)")
BULLET = re.compile(r"^(\s*)([-*]|\d+\.)\s+")


def prose_lines(text: str, width: int, role: str = "") -> list[Line]:
    """Markdown as wrapped lines, with an empty line after each block."""
    lines: list[Line] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines += _block(block, width, role)
        lines.append(line())
    return lines[:-1]


def _block(block: str, width: int, role: str) -> list[Line]:
    if block.startswith("#"):
        return flow([Span(block.lstrip("# "), role or "strong")], width)
    if BULLET.match(block):
        items = re.split(r"\n(?=\s*(?:[-*]|\d+\.)\s)", block)
        return [one for item in items for one in _item(item, width, role)]
    if block.startswith("|"):
        return [line(Span(row[:width], role)) for row in block.splitlines()]
    mark = "  " if block.startswith(">") else ""
    words = " ".join(row.lstrip("> ").strip() for row in block.splitlines())
    return flow([Span(mark), *spans(words, role)], width, indent=len(mark))


def _item(item: str, width: int, role: str) -> list[Line]:
    words = " ".join(row.strip() for row in item.splitlines())
    found = BULLET.match(words)
    mark = "– " if found is None or found[2] in "-*" else f"{found[2]} "
    body = words[found.end() :] if found else words
    return flow([Span(mark, role), *spans(body, role)], width, indent=len(mark))


def spans(text: str, role: str = "") -> list[Span]:
    """One paragraph with its code and emphasis as spans."""
    found: list[Span] = []
    at = 0
    for match in PIECE.finditer(text):
        found.append(Span(text[at : match.start()], role))
        piece = match[0]
        if piece.startswith("`"):
            found.append(Span(piece.strip("`"), role or "key"))
        elif match[2]:
            found.append(Span(match[2], role))
        else:
            found.append(Span(piece.strip("*_"), role or "strong"))
        at = match.end()
    found.append(Span(text[at:], role))
    return [span for span in found if span.text]
