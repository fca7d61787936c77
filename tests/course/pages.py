"""A small lesson that is right, for tests to break."""

from pathlib import Path

PAGE = """\
+++
title = "A copy beside a writer"
scenario = "copy-meets-mprotect"
era = "v6.9"
say = ["A writer on another mapping does not matter."]
+++

The neighbour comes first. See [the page itself](10-page.md).

```play
ui until holds mmap_lock for write
```

```predict
ask = "Does gc have to wait?"
choices = ["Yes", "No"]
answer = 2
why = "It locks only the mapping it fills."
fact = "gc returns 4096"
```

```play
gc until done
```

```expect
ui holds mmap_lock for write
gc returns 4096
```

```totals
figures = [ { of = "mmap_lock read acquisitions", at_most = 0 } ]
```

```goal
kind = "break"
text = "Make gc wait."
reach = "gc waits for mmap_lock to read"
hints = ["Look around.", { text = "app must mark dst.", fact = "app enters vma_start_write" }]
solution = '''
app until leaves vma_start_write
gc until waits for mmap_lock to read
'''
switches = 1
```

```goal
kind = "fix"
text = "Which kernel?"
scenario = "move-meets-mprotect"
property = ["L1"]
answer = 2
choices = [ { text = "Revision 4", era = "series-v4" }, { text = "Merged", era = "v6.9" } ]
hints = ["Count the locks."]
```

```goal
kind = "prove"
hints = ["Everywhere."]
property = ["L1"]
```

```check
verdict = "violated"
scenario = "move-meets-mprotect"
era = "series-v4"
finds = ["L1"]
```
"""


def page(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the lesson with one thing changed. Returns: its path."""
    assert old in PAGE
    path = folder / "10-page.md"
    path.write_text(PAGE.replace(old, new, 1) if old else PAGE, encoding="utf-8")
    return path


def line_of(words: str) -> int:
    """The number of the line that is these words, or else of the first that holds them."""
    lines = PAGE.splitlines()
    if words in lines:
        return lines.index(words) + 1
    return next(n for n, line in enumerate(lines, 1) if words in line)
