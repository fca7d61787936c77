import base64
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.run.stages import three_tasks
from uffdviz.errors import RecordingError, ReplayDivergedError
from uffdviz.run.replay import replay
from uffdviz.run.simulate import make_scheduler, simulate
from uffdviz.trace.recording import Header, Recording, read_recording, write_recording
from uffdviz.trace.token import is_token, read_token, write_token


def recorded(name: str = "time", seed: int = 0) -> bytes:
    machine = three_tasks()
    assert simulate(machine, make_scheduler(name, seed))
    choices = tuple(event.choice for event in machine.events)
    return write_recording(Header(scenario={}, era="v6.9", schedule=choices), machine.events)


def changed(data: bytes, line: int, key: str, value: object) -> bytes:
    lines = data.decode().splitlines()
    table = json.loads(lines[line - 1])
    table[key] = value
    lines[line - 1] = json.dumps(table)
    return ("\n".join(lines) + "\n").encode()


@given(st.sampled_from(["time", "round-robin", "random", "pct"]), st.integers(0, 1000))
def test_a_recording_replays_whatever_the_scheduler(name: str, seed: int) -> None:
    replay(three_tasks(), read_recording(recorded(name, seed)))


def test_an_edited_event_is_named_with_both_texts() -> None:
    data = changed(recorded(), 4, "text", "sings")
    with pytest.raises(ReplayDivergedError) as error:
        replay(three_tasks(), read_recording(data))
    assert str(error.value) == (
        "replay diverged at event 3: recorded 'ui sings', now 'ui calls mprotect src'"
    )


def test_an_event_that_differs_only_in_time_says_so() -> None:
    data = changed(recorded(), 4, "end", 7)
    with pytest.raises(ReplayDivergedError, match=r"event 3: .*'end' was 7, is 100"):
        replay(three_tasks(), read_recording(data))


def test_a_choice_that_cannot_be_taken_diverges_there() -> None:
    recording = read_recording(recorded())
    events = recording.events
    choices = ("app", "app", "gc", "gc", "gc", *recording.header.schedule[5:])
    header = Header(scenario={}, era="v6.9", schedule=choices)
    with pytest.raises(ReplayDivergedError, match="replay diverged at event 1: "):
        replay(three_tasks(), Recording(header, events))


def test_a_digest_that_does_not_fit_is_told_after_all_events_fit() -> None:
    data = recorded()
    lines = data.splitlines()
    last = json.loads(lines[-1])
    bad = changed(data, len(lines), "digest", last["digest"][:-1] + "x")
    with pytest.raises(RecordingError, match="the digest does not fit"):
        replay(three_tasks(), read_recording(bad))


@given(st.data())
def test_a_recording_that_was_cut_off_is_refused(data: st.DataObject) -> None:
    whole = recorded()
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(RecordingError):
        read_recording(part)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\n", "line 1: not JSON"),
        (b"\x00\xff\n", "line 1: not"),
        (b"[]\n", r"line 1: \[\] is not a JSON object"),
        (b"{}\n", "line 1: not a recording"),
        (b'{"format":"uffdviz-recording","version":99}\n', "line 1: version 99 is unknown"),
        (b'{"format":"uffdviz-recording","version":true}\n', "version True is unknown"),
        (b'{"format":"uffdviz-recording","version":1}\n', "line 1: object missing"),
        (b"[" * 100_000 + b"\n", "line 1: nested too deep"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_recording(data)


def test_a_token_carries_the_same_choices() -> None:
    header = read_recording(recorded("random", 7)).header
    assert read_token(write_token(header)) == header


@given(st.integers(0, 10_000))
def test_a_token_that_was_mistyped_is_refused(seed: int) -> None:
    token = write_token(read_recording(recorded()).header)
    at = 4 + int(Random(seed).random() * (len(token) - 4))
    for bad in (token[:at], token[:at] + "!" + token[at + 1 :]):
        with pytest.raises(RecordingError, match="token: cut off"):
            read_token(bad)


def test_a_token_may_have_blanks_around_it_and_nothing_else_after_it() -> None:
    header = read_recording(recorded()).header
    token = write_token(header)
    pasted = f" {token[:40]}\n{token[40:]}\n"
    assert is_token(pasted)
    assert read_token(pasted) == header
    packed = base64.urlsafe_b64decode(token[4:] + "=" * (-len(token[4:]) % 4)) + b"more"
    with pytest.raises(RecordingError, match="token: cut off"):
        read_token("uv1." + base64.urlsafe_b64encode(packed).decode())
