"""Figures as pictures within a page: for light paper, and for dark screens."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection, LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from PIL import Image

DOTS_PER_INCH = 110
COLORS = 256
DARK_PAGE, DARK_INK = "#15191d", "#e8ebee"  # as --page and --ink in atlas.css
GRAY = 0.06  # between the channels of what counts as gray
LEAST_LIGHT = 0.35  # of a colored line on a dark page

Color = tuple[float, float, float, float]


def framed(figure: Figure, words: str, caption: str) -> str:
    """A figure with its caption as HTML: the picture that suits the reader's screen.

    Args:
        figure: What is drawn; it is left as it looks on a dark page.
        words: What stands in its place for those who do not see it, as HTML.
        caption: HTML.
    """
    light, dark = (f"data:image/png;base64,{each}" for each in light_and_dark(figure))
    return (
        '<figure><picture><source media="screen and (prefers-color-scheme: dark)" '
        f'srcset="{dark}"><img alt="{words}" src="{light}"></picture>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def light_and_dark(figure: Figure) -> tuple[str, str]:
    """Both pictures as base64 of PNG; the figure is left as it looks on a dark page."""
    light = _png(figure)
    figure.set_layout_engine("none")  # all stays where it is
    darken(figure)
    return light, _png(figure)


def darken(figure: Figure) -> None:
    """Turn the grays of a figure around, lighten its dark lines; cells keep their colors."""
    for artist in figure.findobj():
        _darken(artist)
    figure.set_facecolor(DARK_PAGE)


def _darken(artist: Artist) -> None:
    if isinstance(artist, Text):
        artist.set_color(on_dark(artist.get_color()))
    elif isinstance(artist, Line2D):
        artist.set_color(on_dark(artist.get_color()))
        for part in ("markeredgecolor", "markerfacecolor"):
            _replace(artist, part, on_dark)
    elif isinstance(artist, Patch):
        _replace(artist, "edgecolor", on_dark)
        _replace(artist, "facecolor", page_on_dark)
    elif isinstance(artist, LineCollection):
        artist.set_color([on_dark(color) for color in artist.get_colors()])
    elif isinstance(artist, Collection):
        artist.set_edgecolor([on_dark(color) for color in artist.get_edgecolor()])


def _replace(artist: Artist, part: str, new: Callable[[Any], Color]) -> None:
    color = getattr(artist, f"get_{part}")()
    if not isinstance(color, str) or color.lower() not in ("none", "auto"):
        getattr(artist, f"set_{part}")(new(color))


def on_dark(color: Any) -> Color:
    """A line's or text's color on a dark page: black is ink, white is page, grays between."""
    *channels, alpha = to_rgba(color)
    shade = np.array(channels)
    if np.ptp(shade) <= GRAY:
        ink, page = (np.array(to_rgba(each)[:3]) for each in (DARK_INK, DARK_PAGE))
        return (*(ink + (page - ink) * shade.mean()), alpha)
    light = shade @ [0.2126, 0.7152, 0.0722]
    missing = max(0.0, (LEAST_LIGHT - light) / (1 - light))
    return (*(shade + (1 - shade) * missing), alpha)


def page_on_dark(color: Any) -> Color:
    """A face's color on a dark page: white is the page, all else stays."""
    return on_dark(color) if to_hex(color) == "#ffffff" else to_rgba(color)


def _png(figure: Figure) -> str:
    figure.set_dpi(DOTS_PER_INCH)
    canvas, packed = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()  # once; savefig would draw it twice, and pack it in between
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(packed, format="png", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()
