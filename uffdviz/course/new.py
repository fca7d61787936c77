"""The page that a new lesson begins as: one that lints clean, or one that plays a recorded run."""

import json as js
from collections.abc import Sequence
from typing import Final

from uffdviz.course.facts import circle
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.report import schedule_lines
from uffdviz.trace.recording import Header

TEMPLATE: Final = '''\
+++
title = "A copy beside a writer"
scenario = "copy-meets-mprotect"
era = "v6.9"
minutes = 3
say = ["What one can say after this lesson, in a sentence."]
+++

Say here who takes part and what each wants. Short paragraphs; the reader knows C, not the kernel.

```play
ui until holds mmap_lock for write
```

Say what has happened, and lead up to the question.

```predict
ask = "gc begins to copy. Does it have to wait?"
choices = ["Yes, for mmap_lock", "No: it locks only the mapping it fills"]
answer = 2
why = "It finds dst under RCU and locks that one mapping. mmap_lock does not matter to it."
fact = "gc returns 4096"
```

```play
gc until done
```

```expect
gc returns 4096
ui holds mmap_lock for write
```

Now let the reader try.

```goal
kind = "break"
text = "Make gc wait for mmap_lock all the same."
reach = "gc waits for mmap_lock to read"
hints = [
  "Somebody has to be busy with the very mapping that gc wants.",
  { text = "app has to come to vma_start_write first.", fact = "app enters vma_start_write" },
]
solution = """
app until leaves vma_start_write
gc until waits for mmap_lock to read
"""
switches = 1
```
'''

FROM_RUN: Final = """\
+++
title = {title}
scenario = {scenario}
era = {era}{mutate}
say = ["What one can say after this lesson, in a sentence."]
+++

Say here who takes part and what each wants. Then let them go, in pieces as long as you like.

```play
{schedule}
```

```expect
{facts}
```

Ask before a piece is played (a predict block), and let the reader try (a goal); `uffdviz lessons lint` says what is missing.
"""


def from_run(header: Header, scenario: str, facts: Sequence[str]) -> str:
    """Write a page that plays a run that was made; `facts` are what is so at its end."""
    mutate = f"\nmutate = {js.dumps(list(header.mutations))}" if header.mutations else ""
    return FROM_RUN.format(
        title=js.dumps(header.name or scenario),
        scenario=js.dumps(scenario),
        era=js.dumps(header.era),
        mutate=mutate,
        schedule="\n".join(schedule_lines(header.schedule)),
        facts="\n".join(facts),
    )


def facts_of(run: Interleaving) -> list[str]:
    """What is so at the end of a run, as facts for a page."""
    facts = ["deadlock"] if circle(run) else []
    for view in run.now.tasks.values():
        if view.results:
            facts.append(f"{view.name} returns {view.results[-1]}")
        if view.state == "blocked" and view.mode:
            facts.append(f"{view.name} waits for {view.lock} to {view.mode}")
        elif view.state == "asleep":
            facts.append(f"{view.name} sleeps")
        elif view.state == "done" and not view.results:
            facts.append(f"{view.name} done")
        facts += [f"{view.name} holds {lock} for {mode}" for lock, mode in view.holds]
    return facts
