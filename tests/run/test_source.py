from inspect import iscoroutinefunction

from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.labels import labels
from uffdviz.run.source import source


def test_a_function_is_shown_without_what_only_python_needs() -> None:
    text = "\n".join(line for _, line in source(Kernel, "lock_vma"))
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
        assert wanted == {label for label, _ in source(Kernel, name) if label}, name


def test_what_is_no_kernel_function_has_no_source() -> None:
    assert source(Kernel, "no_such_function") == ()
