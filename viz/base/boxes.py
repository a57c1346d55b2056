"""Where everything stands, in inches from the lower left corner of the figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LARGE_CELL = 12.0
_LARGE_PAGE = 60.0
_SMALLEST_TEXT = 0.72


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in inches."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.bottom + self.height

    def inside(self, left: float, bottom: float, right: float, top: float) -> "Box":
        """This box without margins, but never smaller than a tenth of an inch."""
        width = max(0.1, self.width - left - right)
        height = max(0.1, self.height - bottom - top)
        return Box(self.left + left, self.bottom + bottom, width, height)

    def shares(self, size: tuple[float, float]) -> tuple[float, float, float, float]:
        """Left, bottom, width and height as shares of a figure of *size* inches."""
        width, height = size
        return (
            self.left / width,
            self.bottom / height,
            self.width / width,
            self.height / height,
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """The parts of a page. Together they cover it, and none overlaps another.

    Attributes:
        header: The strip at the top.
        footer: The strip at the bottom.
        cells: The cells of the panels, row by row.
        text: Factor for the texts of the panels.
        page_text: Factor for the texts of header and footer.
    """

    header: Box
    footer: Box
    cells: tuple[Box, ...]
    text: float
    page_text: float


def grid(size: tuple[float, float], rows: int, columns: int) -> Grid:
    """The grid of a page of *size* inches with *rows* times *columns* cells."""
    width, height = size
    page_text = _factor(width * height / _LARGE_PAGE)
    top, bottom = 1.08 * page_text, 0.34 * page_text
    body = Box(0.0, bottom, width, height - top - bottom)
    side = 0.1 * page_text
    wide, high = (width - 2 * side) / columns, body.height / rows
    cells = tuple(
        Box(
            0.0 if column == 0 else side + column * wide,
            body.top - (row + 1) * high,
            wide + side * ((column == 0) + (column == columns - 1)),
            high,
        )
        for row in range(rows)
        for column in range(columns)
    )
    return Grid(
        header=Box(0.0, height - top, width, top),
        footer=Box(0.0, 0.0, width, bottom),
        cells=cells,
        text=_factor(wide * high / _LARGE_CELL),
        page_text=page_text,
    )


def pushed_apart(
    positions: Sequence[float], size: float, low: float, high: float
) -> list[float]:
    """*positions* moved as little as needed to stand *size* apart, low to high.

    Neighbours that would overlap form a block around their mean position. The order is
    kept; equal positions keep the order in which they are given.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    blocks: list[tuple[float, list[int]]] = []
    for index in order:
        blocks.append((_held(positions[index], size, low, high, 1), [index]))
        # A block that has grown may now reach into the one below it, and so on down.
        while len(blocks) > 1 and _overlap(blocks[-2], blocks[-1], size):
            members = blocks[-2][1] + blocks[-1][1]
            mean = sum(positions[member] for member in members) / len(members)
            blocks[-2:] = [(_held(mean, size, low, high, len(members)), members)]
    placed = [0.0] * len(positions)
    for centre, members in blocks:
        for rank, member in enumerate(members):
            placed[member] = centre + (rank - (len(members) - 1) / 2) * size
    return placed


def _held(centre: float, size: float, low: float, high: float, count: int) -> float:
    half = (count - 1) / 2 * size
    return max(low + half, min(high - half, centre))


def _overlap(
    lower: tuple[float, list[int]], upper: tuple[float, list[int]], size: float
) -> bool:
    distance = (len(lower[1]) + len(upper[1])) / 2 * size
    return upper[0] - lower[0] < distance - 1e-9


def _factor(share: float) -> float:
    return max(_SMALLEST_TEXT, min(1.0, math.pow(share, 0.35)))
