from hypothesis import given
from hypothesis import strategies as st

from uffdviz.tui.render.line import Span, columns, flow, line, plain, width_of

WORDS = st.lists(st.text("abc ", min_size=1, max_size=30).map(Span), min_size=1, max_size=6)


@given(WORDS, st.integers(8, 60))
def test_no_line_is_wider_than_asked_for(spans: list[Span], width: int) -> None:
    assert all(width_of(one) <= width for one in flow(spans, width, indent=2))


@given(WORDS, st.integers(8, 60))
def test_breaking_lines_loses_no_word(spans: list[Span], width: int) -> None:
    whole = "".join(span.text for span in spans)
    assert "".join(plain(flow(spans, width)).split()) == "".join(whole.split())


def test_a_span_keeps_its_meaning_on_the_next_line() -> None:
    first, second = flow([Span("waits for "), Span("mmap_lock to read", "strong", "task gc")], 20)
    assert first[-1] == Span("mmap_lock ", "strong", "task gc")[:0] + first[-1]
    assert second[-1].role == "strong"
    assert second[-1].target == "task gc"


def test_the_left_side_gives_way_to_the_right_edge() -> None:
    left, right = line("a title"), line("step 3")
    assert plain([columns(left, right, 20)]) == "a title       step 3"
    assert plain([columns(left, right, 12)]) == "a ti… step 3"
