"""The three-lock model in this program and in other checkers, timed in one run, whole process.

What it needs, and who else it can time (whatever is not there is left out):

    sudo apt-get install spin gcc
    python3.12 -m venv PEERS && PEERS/bin/pip install harmony musil minicheck
    .venv/bin/python benchmarks/peers.py --python PEERS/bin/python

The model is that of `tests/run/three_locks.py`: three locks, movers and writers; broken as revision
4 was, and fixed. Every line is the whole process: start, compilation, search to the verdict.
Harmony, musil and Spin stop at the first deadlock, and so does this program here. It takes tasks
that are alike for one another, as Harmony does.
The peers' sources are written here, so that one file says what is compared.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"S1": (2, 1, 1), "S2": (2, 1, 4), "S3": (3, 2, 2)}
LIMIT = 300

OURS = """
import sys
sys.path.insert(0, {root!r})
from tests.run.three_locks import three_locks
from uffdviz.run.explore import Limits, explore
seen = explore(three_locks({movers}, {writers}, {rounds}, bug={bug}), Limits(first=True), swap=True)
print(seen.states, len(seen.stuck))
"""

REFERENCE = """
def make(movers, writers, rounds, bug):
    n = movers + writers
    def successors(s):
        out = []
        for t in range(n):
            pc = s[9 + t]
            new = list(s)
            if t < movers:
                d = t & 1
                r = 1 - d
                dfree = not s[5 + d] and not s[7 + d]
                rfree = not s[5 + r] and not s[7 + r]
                if pc == 0:
                    if dfree: new[3 + d] += 1
                    new[9 + t] = 4 if dfree else 1
                elif pc in (1, 5, 13):
                    if s[1] or s[2]: continue
                    new[0] += 1; new[9 + t] = pc + 1
                elif pc in (2, 14):
                    if not dfree: continue
                    new[3 + d] += 1; new[9 + t] = pc + 1
                elif pc == 3: new[0] -= 1; new[9 + t] = 4
                elif pc == 4:
                    if rfree: new[3 + r] += 1
                    new[9 + t] = 8 if rfree else 5 if bug else 12
                elif pc in (6, 15):
                    if not rfree: continue
                    new[3 + r] += 1; new[9 + t] = pc + 1
                elif pc in (7, 16): new[0] -= 1; new[9 + t] = 8
                elif pc == 8: new[9 + t] = 9
                elif pc == 9: new[3 + r] -= 1; new[9 + t] = 10
                elif pc == 10:
                    new[3 + d] -= 1; new[9 + n + t] -= 1
                    new[9 + t] = 0 if new[9 + n + t] else 11
                elif pc == 12: new[3 + d] -= 1; new[9 + t] = 13
                else: continue
            else:
                v = 1 if pc in (2, 3) else 0
                if pc == 0: new[2] += 1; new[9 + t] = 1
                elif pc == 1:
                    if s[0] or s[1]: continue
                    new[1] = 1; new[2] -= 1; new[9 + t] = 2
                elif pc in (2, 4): new[7 + v] += 1; new[9 + t] = pc + 1
                elif pc in (3, 5):
                    if s[3 + v]: continue
                    new[7 + v] -= 1; new[5 + v] = 1; new[9 + t] = pc + 1
                elif pc == 6: new[9 + t] = 7
                elif pc == 7:
                    new[1] = new[5] = new[6] = 0; new[9 + n + t] -= 1
                    new[9 + t] = 0 if new[9 + n + t] else 8
                else: continue
            out.append((t, tuple(new)))
        return out
    def done(s):
        return all(s[9 + t] == (11 if t < movers else 8) for t in range(n))
    return (0,) * 9 + (0,) * n + (rounds,) * n, successors, done
"""

MUSIL = """
from musil import Action, Model, check
init, successors, done = make({movers}, {writers}, {rounds}, {bug})
def actions(s):
    return [Action(f"task {{t}}", lambda s: True, (lambda q: lambda s: q)(q)) for t, q in successors(s)]
model = Model(init=[init], actions=[], actions_fn=actions, invariants={{}}, terminal=done)
result = check(model, max_states=2_000_000)
print(result.states_explored, result.ok)
"""

MINICHECK = """
from minicheck import Protocol, check_safety
init, successors, done = make({movers}, {writers}, {rounds}, {bug})
fields = tuple(f"x{{i}}" for i in range(len(init)))
state = lambda d: tuple(d[f] for f in fields)
protocol = Protocol(
    name="uffd", candidate=not {bug}, fields=fields, initial=init,
    transitions=lambda s: [(f"task {{t}}", q) for t, q in successors(s)],
    invariants={{"no deadlock": lambda d: done(state(d)) or bool(successors(state(d)))}},
    goal=lambda d: done(state(d)),
)
result = check_safety(protocol, max_states=2_000_000)
print(result["reachable_states"])
"""

SPIN = """
byte mr, mq, vr[2], vq[2]; bool mw, vw[2];
#define FREE(v) (!vw[v] && vq[v] == 0)
proctype mover(byte dst; byte src) {{
  byte left = {rounds};
start: atomic {{ if :: FREE(dst) -> vr[dst]++; goto trysrc :: else -> goto slow1 fi }};
slow1: atomic {{ (!mw && mq == 0) -> mr++ }};
       atomic {{ FREE(dst) -> vr[dst]++ }};
       mr--;
trysrc: atomic {{ if :: FREE(src) -> vr[src]++; goto work :: else -> goto slow2 fi }};
slow2:
#if {bug:d}
       atomic {{ (!mw && mq == 0) -> mr++ }};
       atomic {{ FREE(src) -> vr[src]++ }};
       mr--;
#else
       vr[dst]--;
       atomic {{ (!mw && mq == 0) -> mr++ }};
       atomic {{ FREE(dst) -> vr[dst]++ }};
       atomic {{ FREE(src) -> vr[src]++ }};
       mr--;
#endif
work:  skip;
       vr[src]--;
       atomic {{ vr[dst]--; left--; if :: left > 0 -> goto start :: else -> goto fin fi }};
fin:   skip
}}
proctype writer() {{
  byte left = {rounds};
start: mq++;
       atomic {{ (mr == 0 && !mw) -> mq--; mw = 1 }};
       vq[1]++;
       atomic {{ vr[1] == 0 -> vq[1]--; vw[1] = 1 }};
       vq[0]++;
       atomic {{ vr[0] == 0 -> vq[0]--; vw[0] = 1 }};
       skip;
       atomic {{ vw[0] = 0; vw[1] = 0; mw = 0; left--; if :: left > 0 -> goto start :: else -> goto fin fi }};
fin:   skip
}}
init {{ atomic {{ {starts} }} }}
"""

HARMONY = """
mr = 0; mw = False; mq = 0
vr = [0, 0]; vw = [False, False]; vq = [0, 0]
def try_vma(v) returns ok:
    atomically:
        ok = (not vw[v]) and (vq[v] == 0)
        if ok:
            vr[v] += 1
def mmap_read_lock():
    atomically when (not mw) and (mq == 0):
        mr += 1
def mmap_read_unlock():
    atomically mr -= 1
def down_read(v):
    atomically when (not vw[v]) and (vq[v] == 0):
        vr[v] += 1
def vma_end_read(v):
    atomically vr[v] -= 1
def vma_start_write(v):
    atomically vq[v] += 1
    atomically when vr[v] == 0:
        vq[v] -= 1
        vw[v] = True
def mover(dst, src):
    var k = 0
    var ok = False
    while k < {rounds}:
        ok = try_vma(dst)
        if not ok:
            mmap_read_lock()
            down_read(dst)
            mmap_read_unlock()
        ok = try_vma(src)
        if not ok:
{slow}
        vma_end_read(src)
        vma_end_read(dst)
        k += 1
def writer():
    var k = 0
    while k < {rounds}:
        atomically mq += 1
        atomically when (mr == 0) and (not mw):
            mq -= 1
            mw = True
        vma_start_write(1)
        vma_start_write(0)
        atomically:
            vw = [False, False]
            mw = False
        k += 1
for i in {{ 0 .. {movers} - 1 }}:
    spawn mover(i % 2, 1 - i % 2)
for i in {{ 0 .. {writers} - 1 }}:
    spawn writer()
"""
BROKEN = ("mmap_read_lock()", "down_read(src)", "mmap_read_unlock()")
FIXED = ("vma_end_read(dst)", "mmap_read_lock()", "down_read(dst)", *BROKEN[1:])
Maker = Callable[[Path, dict[str, int], int], Iterator[list[str]]]


def ours(folder: Path, size: dict[str, int], bug: int) -> Iterator[list[str]]:
    yield [sys.executable, "-c", OURS.format(root=str(ROOT), bug=bool(bug), **size)]


def python_peer(python: str, text: str) -> Maker:
    def make(folder: Path, size: dict[str, int], bug: int) -> Iterator[list[str]]:
        file = folder / "peer.py"
        file.write_text(REFERENCE + text.format(bug=bool(bug), **size))
        yield [python, str(file)]

    return make


def spin(folder: Path, size: dict[str, int], bug: int) -> Iterator[list[str]]:
    movers = "".join(f"run mover({n % 2}, {1 - n % 2}); " for n in range(size["movers"]))
    starts = movers + "run writer(); " * size["writers"]
    text = SPIN.format(rounds=size["rounds"], bug=int(bug), starts=starts)
    (folder / "model.pml").write_text(text)
    yield ["spin", "-a", "model.pml"]
    yield ["gcc", "-O2", "-DSAFETY", "-o", "pan", "pan.c"]
    yield ["./pan", "-m100000"]


def harmony(command: str) -> Maker:
    def make(folder: Path, size: dict[str, int], bug: int) -> Iterator[list[str]]:
        slow = "\n".join(" " * 12 + line for line in (BROKEN if bug else FIXED))
        (folder / "model.hny").write_text(HARMONY.format(slow=slow, **size))
        yield [command, "--noweb", "model.hny"]

    return make


def peers(python: str) -> dict[str, Maker]:
    """Everybody who is there; this program first."""
    found: dict[str, Maker] = {"uffdviz": ours}
    if shutil.which("spin") and shutil.which("gcc"):
        found["spin"] = spin
    near = Path(python).with_name("harmony")
    if python and near.exists():
        found["harmony"] = harmony(str(near))
    for name, text in (("musil", MUSIL), ("minicheck", MINICHECK)):
        test = [python or sys.executable, "-c", f"import {name}"]
        if subprocess.run(test, capture_output=True, check=False).returncode == 0:
            found[name] = python_peer(test[0], text)
    return found


class Run(NamedTuple):
    """One run of one peer: wall and processor seconds, the most memory in MiB, its last line."""

    wall: float
    cpu: float
    memory: float
    said: str


def timed(make: Maker, size: dict[str, int], *, bug: bool) -> Run:
    """Run one peer once, from nothing to its verdict."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun, cpu, memory, said = time.monotonic(), 0.0, 0.0, ""
        for command in make(folder, size, bug):
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
            with (folder / "said").open("w+") as out:
                process = subprocess.Popen(
                    ["timeout", str(LIMIT), *command], cwd=folder, stdout=out,
                    stderr=subprocess.DEVNULL, env=environment,
                )  # fmt: skip
                _, _, used = os.wait4(process.pid, 0)
                process.returncode = 0
                cpu += used.ru_utime + used.ru_stime
                memory = max(memory, used.ru_maxrss / 1024)
                out.seek(0)
                lines = [line for line in out if line.strip()]
            said = lines[-1].strip() if lines else said
        return Run(time.monotonic() - begun, cpu, memory, said)


def main() -> int:
    """Time everybody at every size, by turns. Returns: the exit status, 1 if anybody is faster."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", default="", help="a Python that has the peers from PyPI")
    parser.add_argument("--sizes", default="S1,S2,S3")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    sys.stdout.write("| size | model | who | wall s | ratio | processor s | ratio | MiB | says |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
    slower = False
    for name in options.sizes.split(","):
        size = dict(zip(("movers", "writers", "rounds"), SIZES[name], strict=True))
        for bug in (True, False):
            everybody = peers(options.python)
            runs: dict[str, list[Run]] = {who: [] for who in everybody}
            for _ in range(options.repeat):
                for who, make in everybody.items():
                    runs[who].append(timed(make, size, bug=bug))
            own = runs["uffdviz"]
            wall, cpu = min(run.wall for run in own), min(run.cpu for run in own)
            for who, those in runs.items():
                best = min(those)
                slower = slower or best.wall < wall
                least = min(run.cpu for run in those)
                model = "broken" if bug else "fixed"
                sys.stdout.write(
                    f"| {name} | {model} | {who} | {best.wall:.3f} | {best.wall / wall:.2f} "
                    f"| {least:.3f} | {least / cpu:.2f} | {best.memory:.0f} | {best.said[:60]} |\n"
                )
                sys.stdout.flush()
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())
