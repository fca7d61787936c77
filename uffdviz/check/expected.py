"""What a scenario expects of its calls: no property of the reference, but a finding all the same."""

from uffdviz.check.taken import Look, Property, Taken


class Expected(Property):
    """Every call returns what the scenario says with `returns`."""

    ident = "returns"
    rule = "every call returns what the scenario says"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        unmet = next((mark.unmet for mark in (*taken.began, *taken.marks) if mark.unmet), "")
        return f"{taken.task}: {unmet}" if unmet else None
