"""The colours of a figure, light or dark."""

from collections.abc import Mapping
from dataclasses import dataclass

TITLE_SIZE = 11.0
NOTE_SIZE = 8.0
DOTS_PER_INCH = 150


@dataclass(frozen=True, slots=True)
class Theme:
    """Every colour that a figure uses, as "#rrggbb".

    Attributes:
        name: "light" or "dark".
        background: Behind everything.
        text: Names, titles and values.
        muted: Tick labels and notes.
        grid: Grid lines.
        axis: The line of the steps, and rules.
        empty: Where a heat map has no data yet.
        neutral: The many members of a family, of which none is special.
        palette: Colours of the curves, from Okabe and Ito's set without yellow; the
            first is for training, the second for validation.
        shares: Low, even and high in a heat map.
        status: Colour of each status of a run.
    """

    name: str
    background: str
    text: str
    muted: str
    grid: str
    axis: str
    empty: str
    neutral: str
    palette: tuple[str, ...]
    shares: tuple[str, str, str]
    status: Mapping[str, str]


LIGHT = Theme(
    name="light",
    background="#ffffff",
    text="#1b1f2a",
    muted="#6b7280",
    grid="#e7e8ec",
    axis="#cfd2d9",
    empty="#f2f3f5",
    neutral="#9aa3b2",
    palette=(
        "#0072b2",
        "#d55e00",
        "#009e73",
        "#cc79a7",
        "#e69f00",
        "#56b4e9",
        "#7a5195",
    ),
    shares=("#b2432f", "#ffffff", "#1f6fb4"),
    status={
        "running": "#0f8a5f",
        "finished": "#0072b2",
        "failed": "#c0392b",
        "crashed": "#c0392b",
        "interrupted": "#b86e00",
    },
)
DARK = Theme(
    name="dark",
    background="#11161d",
    text="#e8ebf0",
    muted="#8b94a3",
    grid="#222a34",
    axis="#39424f",
    empty="#1b222b",
    neutral="#5d6878",
    palette=(
        "#56b4e9",
        "#ff9d4d",
        "#3ddc97",
        "#f49ac8",
        "#ffd24d",
        "#a5d8ff",
        "#b59df2",
    ),
    shares=("#ff7a5c", "#11161d", "#5bb5f0"),
    status={
        "running": "#3ddc97",
        "finished": "#56b4e9",
        "failed": "#ff7a5c",
        "crashed": "#ff7a5c",
        "interrupted": "#ffd24d",
    },
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
