"""Keys that a person has given to commands: what they do, what is said of them, what is refused."""

import pytest

from tests.tui.screen import LARGE, Shown, screen_after, show
from tests.tui.settings import session
from uffdviz.places import config_dir
from uffdviz.tui.keymap import Keymap, read_keymap
from uffdviz.tui.keys import RUN

HELP = {key.name: key for key in RUN}


def given(text: str) -> None:
    """Write the file of keys."""
    config_dir().mkdir(parents=True, exist_ok=True)
    _ = (config_dir() / "keys.toml").write_text(text)


def test_the_footer_and_the_help_name_the_key_that_works() -> None:
    given('step = "j"\n')
    text = screen_after(["j"], session())
    assert "step 1/1" in text
    assert "j step" in text
    assert "→ step" not in text
    assert "step 0/0" in screen_after(["right"], session())
    text = screen_after(["question_mark"], session())
    assert "One step on" in text
    assert "n does the same" not in text


def test_another_key_quits_and_so_does_ctrl_q() -> None:
    given('quit = "j"\n')
    text = screen_after(["q"], session())
    assert "j quit" in text
    assert "q quit" not in text
    assert "j quit" in screen_after(["escape"], session())
    for key in ("j", "ctrl+q"):

        async def act(shown: Shown, key: str = key) -> None:
            await shown.pilot.press(key)
            await shown.pilot.pause()
            assert shown.app._exit

        show(act, session())


def test_a_key_that_closes_a_question_goes_along() -> None:
    given('quit = "j"\n')
    assert "Help" not in screen_after(["question_mark", "j"], session()).splitlines()[1]


def test_a_command_whose_key_another_one_took_has_none() -> None:
    keymap = Keymap({"step": "l,right"})
    assert keymap.trouble == []
    assert keymap.now(HELP["lecture"], RUN).shown == "–"
    assert keymap.now(HELP["step"], RUN).shown == "l, →"
    assert keymap.now(HELP["back"], RUN) == HELP["back"]
    assert Keymap({"quit": "n"}).now(HELP["step"], RUN).shown == "→"


WRONG = {
    'step = "j"\nback = "j"': "back = 'j': step has that key already, choose another",
    'step = "question_mark"\nback = "?"': "step has that key already",
    "back = 5": "back = 5 is no key: keys are written as",
    'back = ""': "back = '' is no key",
    'oracle = "nosuchkey"': "oracle = 'nosuchkey': there is no such key; keys are written as",
    'oracle = "spcae"': "there is no such key (did you mean 'space'?)",
    'oracle = "ctrl+q"': "that always quits",
    'oracle = "shift+b"': "write 'B'",
    'stepp = "j"': "no command 'stepp' (did you mean 'step'?)",
    "step = [": "keys.toml: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_in_one_line_and_the_default_kept(text: str) -> None:
    given(f"{text}\n")
    said = [one.message for one in show(nothing, session(), LARGE)._notifications]
    assert len(said) == 1
    assert WRONG[text] in said[0]
    assert "\n" not in said[0]
    assert "back" not in read_keymap().chosen
    assert "oracle" not in read_keymap().chosen
    assert "step 0/1" in screen_after(["n", "left"], session()) or "step" in read_keymap().chosen


async def nothing(shown: Shown) -> None:
    """Only look."""


def test_every_name_of_a_key_that_is_one_is_taken() -> None:
    keys = "j,J,?,f5,ctrl+x,question_mark,left_square_bracket,slash,pageup,shift+tab,alt+x,plus,ö"
    assert Keymap({"oracle": keys}).trouble == []
    for key in RUN:
        assert Keymap({key.name: key.keys}).trouble == [] or key.name == "task"
