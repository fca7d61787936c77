"""Two eras beside each other: what the signs before the last events say."""

from uffdviz.run.race import race
from uffdviz.run.setting import load_setting
from uffdviz.trace.beside_words import left_words, parted_words
from uffdviz.tui.render.compare import side_lines
from uffdviz.tui.render.line import plain

WIDE = 200


def test_a_sign_says_whether_a_side_was_the_same_so_far_not_whether_a_sentence_is() -> None:
    setting = load_setting("move-meets-mprotect", "series-v4")
    run = race(setting, "v6.9", ["app"] * 22 + ["gc"] * 14)
    seen: set[bool] = set()
    for moment in range(run.last + 1):
        for side, n in zip((run.left, run.right), run.places(moment), strict=True):
            head, _, event, *_ = plain(side_lines(side, run, moment, WIDE)).splitlines()
            same = n < run.parted
            seen.add(same)
            assert ("= so far" if same else f"≠ since step {run.parted}") in head
            assert event[0] not in "=≠"
    assert seen == {True, False}


def test_a_choice_and_a_step_are_two_words() -> None:
    setting = load_setting("copy-meets-mprotect", "v6.9")
    run = race(setting, "v6.1", ["gc"] * 6 + ["app"] * 3)
    (said,) = left_words(run)
    assert said.startswith("v6.1 cannot follow the schedule's choice 9: app cannot move")
    assert "step" not in said
    assert parted_words(run).startswith("They part at step ")
