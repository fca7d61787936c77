"""Single lines that may go or change places, because nobody can see it: which, and why."""

EXPLAINED: dict[tuple[str, str, str], str] = {
    (
        "_readers_in",
        "swap",
        'readers = tuple(w.task for w in s.queue if w.mode == "read") / '
        'writers = tuple(w for w in s.queue if w.mode == "write")',
    ): "both are read from one state, which does not change between them",
}
"""By function, kind of change, and the text of the line or of both."""
