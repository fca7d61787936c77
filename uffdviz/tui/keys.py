"""Every key of the run screen: one table for bindings, the line of keys, help and the palette."""

from collections.abc import Sequence
from typing import Final, NamedTuple


class Key(NamedTuple):
    """`name` is what a person remaps; `keys` its defaults, the first of which is shown."""

    name: str
    keys: str
    shown: str
    action: str
    short: str
    what: str


Help = tuple[str, Sequence[tuple[str, Sequence[tuple[str, str]]]]]
"""What a screen says of itself (its `ABOUT`): a sentence, and tables of signs and what they mean."""
HELP: Final = Key("help", "question_mark,f1", "?", "app.help", "help", "This help")
QUIT: Final = Key(
    "quit", "q", "q", "app.quit", "quit", "Quit; over a question: close it. ctrl+q quits anywhere"
)
RUN: Final = (
    Key("play", "space", "space", "play", "play", "Play by itself, or pause"),
    Key("step", "right,n", "→", "step", "step", "One step on; n does the same"),
    Key("back", "left,p", "←", "back", "back", "One step back; p does the same"),
    Key("task", "1,2,3,4,5,6,7,8,9", "1-9", "task", "task", "One step of that task"),
    Key("block", "b", "b", "block", "block", "On to the end of the lesson's next block"),
    Key("block_before", "B", "B", "block_before", "", "Back to the end of the block before it"),
    Key("wait", "W", "W", "wait(1)", "", "On to where a task has to wait the next time"),
    Key("wait_before", "E", "E", "wait(-1)", "", "Back to where a task had to wait before"),
    Key("panel", "t", "t", "panel(1)", "panel", "Next panel: Narration, Source, Timeline …"),
    Key("unpanel", "T", "T", "panel(-1)", "", "Previous panel"),
    Key("oracle", "o", "o", "oracle", "oracle", "Oracle: is each move safe, risky or doomed"),
    Key("explore", "x", "x", "explore", "explore", "Explore: what can go wrong from here, and how"),
    Key(
        "compare", "c", "c", "compare", "compare", "Compare: the same choices under another kernel"
    ),
    Key("graph", "w", "w", "bring('graph')", "", "Who waits for whom, and the order of locks"),
    Key("explain", "i", "i", "explain", "", "Explain the lock, function or result of this step"),
    Key("search", "slash", "/", "search", "", "Search in what happened"),
    Key("search_on", "N", "N", "search_on", "", "Go to the next place that the search found"),
    Key("lecture", "l", "l", "lecture", "", "Lecture: only Tasks, Locks and Now, large"),
    Key("begin", "home", "Home", "seek_begin", "", "To the beginning"),
    Key("end", "end", "End", "seek_end", "", "To the end of what has happened"),
    Key("lock_before", "left_square_bracket", "[", "lock(-1)", "", "Previous lock event"),
    Key("lock_after", "right_square_bracket", "]", "lock(1)", "", "Next lock event"),
    Key("switch_before", "left_curly_bracket", "{", "turn(-1)", "", "Previous change of task"),
    Key("switch_after", "right_curly_bracket", "}", "turn(1)", "", "Next change of task"),
    Key("goto", "g", "g", "goto", "", "Go to a step by its number"),
    Key("look", "a", "a", "look(1)", "", "Look at the next task's source without stepping it"),
    Key("faster", "plus,equals_sign", "+", "pace(1)", "", "Play faster"),
    Key("slower", "minus", "-", "pace(-1)", "", "Play slower"),
    Key("zoom_in", "z", "z", "zoom(1)", "", "Timeline: show half as long around the cursor"),
    Key("zoom_out", "Z", "Z", "zoom(-1)", "", "Timeline: show twice as long"),
    Key(
        "goal",
        "enter",
        "enter",
        "goal",
        "goal",
        "The goal of the lesson: try it; or the next lesson",
    ),
    Key("schedule", "k", "k", "schedule", "", "Play a schedule in words: gc until holds mmap_lock"),
    Key("hint", "h", "h", "hint", "hint", "Another hint for the goal"),
    Key("enlarge", "f", "f", "enlarge", "", "Enlarge the panel in focus, or put it back"),
    Key("hide", "H", "H", "hide", "", "Hide the panel in focus"),
    Key("unhide", "U", "U", "unhide", "show all", "Show every panel again that was hidden"),
    Key("motion", "m", "m", "app.motion", "", "Motion on or off: smooth scrolling, blinking"),
    Key("reload", "ctrl+r", "^r", "reload", "", "Read the lesson's file again"),
    Key("restart", "r", "r", "restart", "", "Begin the run again"),
    Key("branch", "v", "v", "branches", "", "Runs that you left by choosing otherwise"),
    Key("save", "s", "s", "save", "", "Save a recording of this run"),
    Key("copy", "y", "y", "token", "", "Copy the run as a short token"),
    HELP,
    Key("home", "escape", "esc", "app.home", "", "Back: to the page, to the start screen"),
    QUIT,
)
HOME: Final = (
    Key(
        "race", "r", "r", "race", "race", "Let two kernels race through a scenario, on virtual time"
    ),
    Key("vary", "v", "v", "vary", "", "Vary a cost or a count of a scenario, and plot it"),
)
"""What can be done with a scenario of the start screen besides opening it."""
RACE: Final = (
    Key("race_play", "space", "space", "play", "play", "Play the race, or pause"),
    Key("race_on", "right,n", "→", "on(1)", "", "One column on"),
    Key("race_back", "left,p", "←", "on(-1)", "", "One column back"),
    Key("race_begin", "home", "Home", "begin", "", "To the beginning"),
    Key("race_end", "end", "End", "end", "", "To the end"),
    Key("race_faster", "plus,equals_sign", "+", "pace(1)", "", "Play faster"),
    Key("race_slower", "minus", "-", "pace(-1)", "", "Play slower"),
    Key("race_in", "z", "z", "zoom(1)", "closer", "Zoom in around the cursor, down to one wait"),
    Key("race_out", "Z", "Z", "zoom(-1)", "", "Zoom out"),
    Key("wait_before", "left_square_bracket", "[", "wait(-1)", "", "Previous wait for a lock"),
    Key("wait_after", "right_square_bracket", "]", "wait(1)", "wait", "Next wait for a lock"),
    Key("wait_words", "enter", "enter", "words", "words", "The wait in words, or the totals again"),
    Key("race_stop", "s", "s", "stop", "stop", "Stop computing, and keep what is known"),
    Key("race_era", "e", "e", "era", "kernel", "Another kernel on the right"),
    Key("race_vary", "v", "v", "vary", "vary", "Vary a cost or a count, and plot it"),
    Key("race_leave", "escape,c", "esc", "app.pop_screen", "back", "Back"),
)
RACE_MOUSE: Final = (
    ("click the picture", "Go to that moment"),
    ("wheel", "On and back in time"),
)
PALETTE: Final = Key("palette", "ctrl+p", "^p", "command_palette", "menu", "All commands")
MOUSE: Final = (
    ("click a task", "One step of that task"),
    ("click the timeline", "Go to that moment; with the button held it goes along"),
    ("click - or + on it", "Show more or less of it; the wheel with ctrl does the same"),
    ("click a panel's name", "Bring that panel to the front"),
    ("click [+] or [×]", "Enlarge the panel in focus, or hide it"),
    ("click a key below", "The same as pressing it"),
    ("right-click a word", "Explain it: a lock, a function, a result"),
    ("wheel", "Scroll the panel under the pointer"),
)
FOOTER: Final = (
    "lecture", "play", "step", "back", "task", "block", "goal", "hint", "panel", "unhide",
    "oracle", "explore", "compare", "help", "palette", "quit",
)  # fmt: skip
WIDE: Final = frozenset({"oracle", "explore", "compare"})
"""Keys of the line below that are only named where there is room."""
