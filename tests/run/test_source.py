import inspect
from inspect import iscoroutinefunction

from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.labels import labels
from uffdviz.run.source import source


def test_a_function_is_shown_without_what_only_python_needs() -> None:
    text = "\n".join(words for _, words, _ in source(inspect.unwrap(Kernel.lock_vma).__code__).rows)
    assert "lock_vma_under_rcu(mm, addr)" in text
    assert "await" not in text
    assert "k." not in text


def test_every_label_of_a_function_is_on_some_line() -> None:
    for name in dir(Kernel):
        fn = getattr(getattr(Kernel, name), "__wrapped__", None)
        if not iscoroutinefunction(fn):
            continue
        code = fn.__code__
        lines = {line for _, _, line in code.co_lines() if line}
        wanted = {
            label for line, label in labels(code.co_filename).items() if label and line in lines
        }
        assert wanted == {label for label, *_ in source(code).rows if label}, name


def test_every_await_of_a_function_has_a_row_of_its_own_place() -> None:
    text = source(inspect.unwrap(Kernel.lock_vma).__code__)
    lines = [line for *_, line in text.rows if line >= 0]
    assert lines == sorted(lines)
    assert [text.rows[text.row(line)][2] for line in lines] == lines
    assert text.row(lines[-1] + 1) == len(text.rows) - 1
