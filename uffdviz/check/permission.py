"""What a page-table entry may allow: S14."""

from typing import Any, Final

from uffdviz.check.held import Names, record_of
from uffdviz.check.pages import FAULTS, PAGE, entries_set, names_at, space_of
from uffdviz.check.taken import Look, Property, Taken

PROTECTS: Final = "uffd_wp_range"
COPIES: Final = "copy_pte_range"
TAKES_ALONG: Final = "move_page_tables"
FILLS: Final = ("UFFDIO_COPY", "UFFDIO_CONTINUE")


class Permission(Property):
    """S14: in the end nothing is writable that may not be.

    What userfaultfd protects stays so, also for a child and at another address, until the monitor
    lifts it: else a write goes by that the monitor wants to hear of.
    """

    ident = "S14"
    rule = (
        "when all is quiet, no entry is writable where its mapping or its page is not, nor where "
        "the monitor has protected it"
    )

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        wants = protects_what_it_fills(taken, look)
        for page, old, pte in entries_set(taken) if taken.kind == "table" else ():
            if pte.kind == "zero" and pte.write:
                return f"{taken.task} makes the shared zero page writable"
            where = watched(look, taken.object, page)
            if not where:
                continue
            if pte.kind == "page" and pte.wp and pte.write:
                return f"{taken.task} makes a page of {where} writable that is protected"
            if wants and pte.kind == "page" and not pte.wp:
                return f"{taken.task} fills a page of {where} that was to be protected"
            if (
                pte.kind in {"page", "swap"}
                and not pte.wp
                and was_protected(taken, look, page, old, pte)
            ):
                return f"{taken.task} loses the protection of a page of {where}"
        if TAKES_ALONG in taken.stack and taken.kind == "table":
            take_along(taken, look)
        return None

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        for table in look.names("page table "):
            for page, pte in look.state(table).entries:
                if pte.kind == "page" and pte.write:
                    for name in names_at(look, space_of(look, table), page):
                        if text := may_not_write(look, name, page, pte):
                            return text
        return None


def protects_what_it_fills(taken: Taken, look: Look) -> bool:
    """Whether a step is part of a fill that was asked to protect what it fills."""
    key = f"S14 protects {taken.task}"
    wants = bool(look.note(key, 0))
    for mark in (*taken.began, *taken.marks):
        if mark.kind == "Called":
            words = mark.detail.split()
            wants_next = int(words[0] in FILLS and "wp" in words)
            look.keep(key, 0, wants_next)
            wants = bool(wants_next) if mark in taken.began else wants
        elif mark.kind == "Returned":
            look.keep(key, 0, 0)
    return wants and not FAULTS & set(taken.stack)


def watched(look: Look, table: str, page: int) -> str:
    """The mapping at a page, if it is registered for writes to protected pages."""
    for name in names_at(look, space_of(look, table), page):
        record = record_of(look, name)
        if record is not None and "wp" in record.modes:
            return name
    return ""


def was_protected(taken: Taken, look: Look, page: int, old: Any, pte: Any) -> bool:
    """Whether a step sets an entry without the protection that it had, here or where it is from."""
    if any(name.startswith(PROTECTS) for name in taken.stack):
        return False
    if old is not None and old.kind in {"page", "swap"} and old.wp:
        return True
    if TAKES_ALONG in taken.stack:
        carried: Names = look.note(f"S14 carries {taken.task}", ())
        return pte.folio in {*carried, *protected_in(taken.before)}
    if COPIES not in taken.stack:
        return False
    return any(
        at == page and parent.wp and parent.folio == pte.folio
        for table in look.names("page table ")
        if space_of(look, table) != space_of(look, taken.object)
        for at, parent in look.state(table).entries
    )


def take_along(taken: Taken, look: Look) -> None:
    """Note the protected pages that mremap() has in its hands."""
    gone = {*protected_in(taken.before)} - {pte.folio for _, pte in taken.after.entries}
    if gone:
        look.keep(f"S14 carries {taken.task}", (), tuple(sorted(gone)))
    elif taken.before.entries != taken.after.entries:
        look.keep(f"S14 carries {taken.task}", (), ())


def protected_in(table: Any) -> Names:
    """The pages whose entries in a page table are protected."""
    return tuple(pte.folio for _, pte in table.entries if pte.wp and pte.folio)


def may_not_write(look: Look, name: str, page: int, pte: Any) -> str | None:
    """Say why a writable entry of a mapping should not be so, if it should not."""
    record = record_of(look, name)
    where = f"the entry of its page {page - record.start // PAGE} is writable"
    if "w" not in record.prot:
        return f"{name} is {record.prot}, and {where}"
    folio = look.state(f"page {pte.folio}")
    shared = folio is not None and folio.anon_vma and not folio.exclusive
    return f"{pte.folio} of {name} has other owners, and {where}" if shared else None
