"""Single lines that may go or change places, because nobody can see it: which, and why."""

EXPLAINED: dict[tuple[str, str, str], str] = {}
"""By function, kind of change, and the text of the line or of both."""
