"""A task lives as its table says: how often, when, and what happens beside its calls."""

import msgspec
import pytest

from uffdviz.errors import ScenarioError
from uffdviz.run.chance import shuffled
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import parse_scenario
from uffdviz.run.report import as_result
from uffdviz.run.setting import Setting, setting_of

HEAP = '[[vma]]\nname = "heap"\npages = 4\npresent = ["0-3"]\n'
PROT = '{ op = "mprotect", at = "heap", pages = 4, prot = "r" }'


def setting(text: str) -> Setting:
    return Setting(parse_scenario(text, "test.toml"))


def finished(text: str) -> Interleaving:
    run = Interleaving(setting(text))
    run.finish()
    return run


def task(name: str, calls: str, more: str = "") -> str:
    return f'[[task]]\nname = "{name}"\ncalls = [ {calls} ]\n{more}'


def called(run: Interleaving, who: str) -> list[str]:
    return [e.detail for e in run.events if e.fact == "Called" and e.task == who]


def test_repeat_runs_through_the_calls_so_often() -> None:
    run = finished(HEAP + task("a", PROT, "repeat = 3"))
    assert run.returns == {"a": ["0", "0", "0"]}


def test_count_makes_numbered_twins() -> None:
    run = finished(HEAP + task("a", PROT, "count = 2"))
    assert run.returns == {"a.1": ["0"], "a.2": ["0"]}


def test_step_moves_the_addresses_each_repetition() -> None:
    step = '{ op = "touch", at = "heap", step = 2 }'
    assert called(finished(HEAP + task("a", step, "repeat = 2")), "a") == [
        "touch heap",
        "touch heap+2",
    ]


def test_a_cursor_gives_each_page_to_one_task() -> None:
    cursor = '[[cursor]]\nname = "next"\npages = 4\n'
    step = '{ op = "touch", at = "heap", step = 1 }'
    run = finished(HEAP + cursor + task("a", step, 'cursor = "next"\ncount = 2'))
    pages = sorted(called(run, "a.1") + called(run, "a.2"))
    assert pages == ["touch heap", "touch heap+1", "touch heap+2", "touch heap+3"]


def test_a_random_order_takes_every_number_once() -> None:
    step = '{ op = "touch", at = "heap", step = 1 }'
    run = finished(HEAP + task("a", step, 'repeat = 4\norder = "random"\nseed = 3'))
    assert len(set(called(run, "a"))) == 4
    assert shuffled(range(8), "3 a") == shuffled(range(8), "3 a") != shuffled(range(8), "4 a")


def test_a_background_task_ends_with_the_others() -> None:
    run = finished(
        HEAP + task("a", PROT) + task("b", '{ op = "compute", ns = 10 }', "background = true")
    )
    assert "a" not in run.machine.unfinished
    assert run.machine.unfinished == ["b"]
    assert run.machine.choices() == []


def test_setup_and_cleanup_are_no_results() -> None:
    run = finished(HEAP + task("a", PROT, f"setup = [ {PROT} ]\ncleanup = [ {PROT} ]"))
    assert run.returns == {"a": ["0"]}
    assert len(called(run, "a")) == 3


def test_compute_and_every_ns_take_virtual_time() -> None:
    run = finished(HEAP + task("a", '{ op = "compute", ns = 70 }', "repeat = 3\nevery_ns = 1000"))
    starts = [e.start for e in run.events if e.fact == "Called"]
    assert starts == [0, 1000, 2000]


def test_a_result_that_the_scenario_does_not_expect_is_said() -> None:
    made = setting(HEAP + task("a", PROT.replace(" }", ", returns = -1 }")))
    run = Interleaving(made)
    run.finish()
    returns = {name: [as_result(r) for r in results] for name, results in run.returns.items()}
    said = made.unmet(returns)
    assert said == ["task 'a', call 1 (mprotect heap 4 pages r) returned 0, not -1"]


def test_after_holds_a_call_back_until_the_lock_is_held() -> None:
    late = PROT.replace(" }", ', after = "b holds mmap_lock for write" }')
    run = Interleaving(setting(HEAP + task("a", late) + task("b", PROT)))
    assert run.machine.choices() == ["b"]
    run.run("b", until="holds mmap_lock for write")
    assert run.machine.choices() == ["a", "b"]


def test_after_a_sleep_waits_for_the_sleep_itself() -> None:
    text = (
        '[[uffd]]\nname = "gc"\n[[vma]]\nname = "dst"\npages = 1\nuffd = { ctx = "gc" }\n'
        + task("a", '{ op = "touch", at = "dst" }')
        + task("b", '{ op = "UFFDIO_ZEROPAGE", at = "dst", pages = 1, after = "a sleeps" }')
    )
    run = Interleaving(setting(text))
    assert run.machine.choices() == ["a"]
    run.run("a", until="sleeps")
    assert run.machine.choices() == ["b"]
    run.finish()
    assert run.returns == {"a": ["0"], "b": ["4096"]}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('after = "c sleeps"', "no task 'c'"),
        ('after = "a sleeps"', "a task cannot wait for itself"),
        ('after = "b returns"', "is over at once"),
        ('after = "b holds mmap_lok"', "did you mean 'mmap_lock'"),
        ('kill = "hods mmap_lock"', "did you mean 'holds'"),
        ('kill = "holds mmap_lok"', "did you mean 'mmap_lock'"),
        ('kill = "waits for vma heep"', "did you mean 'vma heap'"),
        ('kill = "enters vma_start_writ"', "did you mean 'vma_start_write'"),
        ('fail = { function = "vm_area_dop" }', "did you mean 'vm_area_dup'"),
        (
            'fail = { function = "vm_area_dup", errno = "-EINTR" }',
            "vm_area_dup fails with '-ENOMEM'",
        ),
    ],
)
def test_what_can_never_come_about_is_refused(key: str, said: str) -> None:
    late = PROT.replace(" }", f", {key} }}")
    tables = parse_scenario(HEAP + task("a", late) + task("b", PROT), "test.toml")
    with pytest.raises(ScenarioError, match=r"test: task 'a', (calls 1 \()?mprotect") as caught:
        setting_of(msgspec.to_builtins(tables), "test")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "place", ["vma heap", "vma heap+1", "mmap_lock", "ptl heap", "mmap_lock child"]
)
def test_a_signal_may_wait_for_a_lock_that_comes_to_be_later(place: str) -> None:
    dying = PROT.replace(" }", f', kill = "holds {place}" }}')
    setting(HEAP + task("a", dying) + task("b", PROT))


def test_a_fatal_signal_comes_at_its_landmark() -> None:
    dying = PROT.replace(" }", ', kill = "waits for mmap_lock to write" }')
    run = Interleaving(setting(HEAP + task("a", dying) + task("b", PROT)))
    run.run("b", until="holds mmap_lock for write")
    run.finish()
    assert run.returns["a"] == ["-EINTR"]
    assert "kill a" in run.choices


def test_a_step_that_shall_fail_does() -> None:
    munmap = '{ op = "munmap", at = "heap+1", pages = 1, fail = { function = "vm_area_dup" } }'
    run = finished(HEAP + task("a", munmap))
    assert run.returns == {"a": ["-ENOMEM"]}
    assert "fail a" in run.choices


def test_a_handler_of_sigbus_copies_the_page_in() -> None:
    text = (
        '[[uffd]]\nname = "gc"\nfeatures = ["sigbus"]\n[[vma]]\nname = "dst"\npages = 2\n'
        'uffd = { ctx = "gc" }\n[[vma]]\nname = "src"\npages = 1\npresent = [0]\n'
    )
    handler = '{ op = "UFFDIO_COPY", dst = "fault", src = "src", pages = 1 }'
    run = finished(text + task("a", '{ op = "touch", at = "dst+1" }', f"on_sigbus = [ {handler} ]"))
    assert run.returns == {"a": ["1"]}
    assert called(run, "a")[1].startswith("UFFDIO_COPY dst+1")
