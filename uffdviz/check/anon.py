"""What an anonymous page needs of its mapping: S7."""

from typing import Final

from uffdviz.check.held import Names, holds, mapping_of, record_of
from uffdviz.check.pages import in_tree
from uffdviz.check.taken import Look, Property, Taken

USERS: Final = "anon_vma users "


class AnonRule(Property):
    """S7: anonymous pages need an anon_vma, and that comes and goes under locks."""

    ident = "S7"
    rule = (
        "an anonymous page is mapped only where an anon_vma is, which is set and unset under locks"
    )

    def __init__(self) -> None:
        self._mappings: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.kind == "vma":
            self._mappings.add(taken.object)
            if taken.before.anon_vma != taken.after.anon_vma:
                return self._changed(taken, look)
        if taken.verb in {"rmap_anon", "move_anon_rmap"} and not taken.after.anon_vma:
            return f"{taken.task} maps {taken.object} as anonymous without an anon_vma"
        return None

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        users: dict[str, int] = {}
        for tree in () if unfinished else look.names("mm tree"):
            for _, _, name in look.state(tree).entries:
                record = record_of(look, name)
                if record is not None and record.anon_vma:
                    users[record.anon_vma] = users.get(record.anon_vma, 0) + 1
        for name in () if unfinished else look.names(USERS):
            anon_vma, count = name.removeprefix(USERS), look.state(name)
            if count != users.get(anon_vma, 0):
                has = users.get(anon_vma, 0)
                return f"anon_vma {anon_vma} counts {count} users, and {has} mappings have it"
        return None

    def _changed(self, taken: Taken, look: Look) -> str | None:
        task, name = taken.task, mapping_of(taken.object)
        if taken.before.start == taken.before.end or taken.verb == "become":
            return None  # a mapping that nobody can find yet
        if not taken.after.anon_vma:
            if holds(look, task, "mmap_lock", "write") or not in_tree(look, taken.before, name):
                return None
            return f"{task} takes the anon_vma from {name} without mmap_lock for writing"
        if not holds(look, task, "mmap_lock"):
            return f"{task} gives {name} an anon_vma without mmap_lock"
        if taken.verb == "publish" and not taken.after.anon_vma.startswith(f"{name}@"):
            users = [look.state(mapping) for mapping in sorted(self._mappings)]
            if not any(
                user is not None and user.anon_vma == taken.after.anon_vma for user in users
            ):
                return f"{task} gives {name} the anon_vma {taken.after.anon_vma}, which is freed"
        return None
