"""The table of functions in docs/model.md, made of their docstrings.

`python -m uffdviz.kernel.model_table docs/model.md` writes it anew between its two marks.
"""

import sys
from pathlib import Path
from typing import Final

from uffdviz.kernel.catalogue import Function, catalogue
from uffdviz.kernel.eras.registry import eras

BEGIN: Final = "<!-- functions: made by python -m uffdviz.kernel.model_table -->"
END: Final = "<!-- end of functions -->"
HEAD: Final = (
    "| function | eras | kernel | left out |",
    "|---|---|---|---|",
)


def table() -> str:
    """Every function of the model, a row each, by its kernel name."""
    rows = [row(function) for functions in catalogue().values() for function in functions]
    return "\n".join([*HEAD, *rows])


def row(function: Function) -> str:
    """One function: where it is in the kernel, who uses it, what it leaves out."""
    cells = (f"`{function.name}`", used_by(function), function.kernel, function.left_out)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def used_by(function: Function) -> str:
    """The eras that use a function, in short."""
    every = [era for era in eras() if era != "series-v7"]
    if set(every) <= {*function.eras}:
        return "all"
    series = [era for era in every if era.startswith("series")]
    if set(series) <= {*function.eras}:
        releases = [era for era in function.eras if era not in series]
        return ", ".join([*releases, "series"])
    return ", ".join(function.eras)


def with_table(page: str) -> str:
    """The page with the table of today between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
