"""How the screen looks: dark, light, high contrast, and without colour."""

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="dark",
    primary="#4C8BD9",
    secondary="#B49AE6",
    accent="#5FD7D7",
    warning="#E5B454",
    error="#F0716B",
    success="#7BC77E",
    foreground="#D8DEE4",
    background="#14181D",
    surface="#1B2128",
    panel="#232B34",
)
LIGHT: Final = Theme(
    name="light",
    primary="#1F62B5",
    secondary="#6C3FB4",
    accent="#00697A",
    warning="#8A5300",
    error="#B3261E",
    success="#1B6E2C",
    foreground="#1C2024",
    background="#FBFBF9",
    surface="#F1F1EE",
    panel="#E4E4DF",
    dark=False,
)
HIGH_CONTRAST: Final = Theme(
    name="high-contrast",
    primary="#00AFFF",
    secondary="#FF9CFF",
    accent="#00FFFF",
    warning="#FFFF00",
    error="#FF6060",
    success="#00FF00",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#202020",
    text_alpha=1.0,
    variables={"text-muted": "#FFFFFF", "panel-lighten-2": "#FFFFFF"},
)
NO_COLOUR: Final = Theme(
    name="no-colour",
    primary="#FFFFFF",
    secondary="#FFFFFF",
    accent="#FFFFFF",
    warning="#FFFFFF",
    error="#FFFFFF",
    success="#FFFFFF",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#303030",
    text_alpha=1.0,
)
THEMES: Final = (DARK, LIGHT, HIGH_CONTRAST, NO_COLOUR)
