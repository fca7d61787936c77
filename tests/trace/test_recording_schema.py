import json
from importlib.resources import files

from tests.run.stages import three_tasks
from uffdviz.run.simulate import simulate
from uffdviz.trace.recording import as_written
from uffdviz.trace.recording_schema import recording_schema


def test_the_schema_that_ships_describes_what_is_written() -> None:
    shipped = json.loads(files("uffdviz.trace").joinpath("recording.schema.json").read_text())
    assert shipped == json.loads(json.dumps(recording_schema()))


def test_every_event_has_what_the_schema_requires_and_nothing_else() -> None:
    machine = three_tasks()
    simulate(machine)
    event_schema = recording_schema()["$defs"]["Event"]
    for event in machine.events:
        written = as_written(event)
        assert set(event_schema["required"]) <= set(written) <= set(event_schema["properties"])
