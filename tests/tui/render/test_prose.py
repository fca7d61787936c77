from uffdviz.tui.render.line import plain
from uffdviz.tui.render.prose import prose_lines


def test_a_paragraph_is_wrapped_and_its_marks_are_meanings() -> None:
    (one,) = prose_lines("Take **mmap_lock** and `lock_vma` *now*.", 80)
    assert [(span.text, span.role) for span in one if span.role] == [
        ("mmap_lock", "strong"),
        ("lock_vma", "key"),
        ("now", "strong"),
    ]


def test_names_with_underscores_are_not_emphasis() -> None:
    assert plain(prose_lines("mmap_lock and map_changing_lock", 80)) == (
        "mmap_lock and map_changing_lock"
    )


def test_lists_hang() -> None:
    text = plain(prose_lines("- one two three\n- four", 12))
    assert text == "– one two\n  three\n– four"


def test_a_link_is_its_words() -> None:
    assert plain(prose_lines("see [the model](docs/model.md)", 40)) == "see the model"
