"""The page that a new lesson begins as: it plays, and it lints clean."""

from typing import Final

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
