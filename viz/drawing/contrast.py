"""Colours that can be read on a background."""

from functools import lru_cache

from matplotlib.colors import to_hex, to_rgb

from stepwell.viz.base.theme import Theme

TEXT_CONTRAST = 4.0
LINE_CONTRAST = 2.5


@lru_cache(maxsize=1024)
def contrast(one: str, other: str) -> float:
    """How different the lightness of two colours is: 1.0 not at all, 21.0 the most."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable_color(color: str, theme: Theme, least: float = TEXT_CONTRAST) -> str:
    """*color*, moved towards the theme's text colour until its contrast is *least*."""
    for share in range(11):
        mixed = blended(theme.text, color, share / 10)
        if contrast(mixed, theme.background) >= least:
            return mixed
    return theme.text


def blended(top: str, bottom: str, share: float) -> str:
    """The colour of *share* parts of *top* over *bottom*."""
    red, green, blue = (
        share * upper + (1 - share) * lower
        for upper, lower in zip(to_rgb(top), to_rgb(bottom), strict=True)
    )
    return to_hex((red, green, blue))


def _luminance(color: str) -> float:
    parts = (
        # Relative luminance as WCAG 2 defines it, with the threshold of sRGB itself.
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for part in to_rgb(color)
    )
    return sum(
        weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )
