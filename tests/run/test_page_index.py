"""A page knows its place by the mapping's page offset, which a move of the mapping keeps."""

import pytest

from uffdviz.kernel.memory import Folio
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import parse_scenario
from uffdviz.run.setting import Setting

MOVED = """
title = "A mapping is moved, then one more page of it is filled"
era = "v6.9"

[[uffd]]
name = "gc"

[[vma]]
name = "away"
pages = 2
mapped = false

[[vma]]
name = "dst"
pages = 2
gap = true
anon_vma = true
present = [0]
uffd = { ctx = "gc", modes = ["wp"] }

[[vma]]
name = "src"
pages = 1
gap = true
present = [0]

[[task]]
name = "app"
calls = [
  { op = "mremap", at = "dst", pages = 2, to = "away", fixed = true, returns = 0 },
  { op = "UFFDIO_REGISTER", at = "away", pages = 2, modes = ["missing"], ctx = "gc" },
  CALL,
]
"""
CALLS = {
    "touch": '{ op = "touch", at = "away+1", write = true }',
    "copy": '{ op = "UFFDIO_COPY", dst = "away+1", src = "src", pages = 1, ctx = "gc" }',
}


@pytest.mark.parametrize("call", CALLS)
def test_a_page_filled_after_a_move_continues_the_numbers_of_the_others(call: str) -> None:
    text = MOVED.replace("CALL", CALLS[call])
    if call == "touch":
        text = "\n".join(line for line in text.splitlines() if "UFFDIO_REGISTER" not in line)
    run = Interleaving(Setting(parse_scenario(text, "moved.toml")))
    run.finish()
    pages = {n: s for n, s in run.now.objects.items() if isinstance(s, Folio) and s.anon_vma}
    old = pages["page dst"].index
    (new,) = [s.index for n, s in pages.items() if "@app" in n]
    assert new == old + 1
