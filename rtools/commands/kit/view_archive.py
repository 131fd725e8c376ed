"""Previews and thumbnails as archives keep them beside a product: their names, sizes and looks."""

from dataclasses import replace
from pathlib import Path

from rtools.errors import UsageError

__all__ = ["SIDES", "archive_dpi", "archive_kind", "archive_name", "archive_settings", "with_compass"]

SIDES = {"preview": 1080, "thumb": 300}
"""Dots along the longer side, at most: those of the pictures that Roman's own pipeline makes."""

PADDING = 0.4
"""Inches that saving may add to a figure with axes, at most."""

LOOK = {"stretch": "linear", "limits": "90%", "cmap": "afmhot", "bare": True}
"""How these show an image, unless something else is asked for."""

NAMES = {
    "roman": {"preview": "{stem}_preview.png", "thumb": "{stem}_thumb.png"},
    "jwst": {"preview": "{stem}.jpg", "thumb": "{stem}_thumb.jpg"},
}
"""Names of the pictures of a product. Those of JWST are what its archive calls them; for Roman nothing is said yet."""


def archive_kind(settings):
    """Which of the two is asked for; the options that say it are taken out of the settings.

    Parameters
    ----------
    settings : dict
        The options of rt-view.

    Returns
    -------
    str or None
        ``preview``, ``thumb``, or None for neither.

    Raises
    ------
    UsageError
        Both are asked for, or something else that is no picture of one image.
    """
    asked = [kind for kind in SIDES if settings.pop(kind)]
    if len(asked) > 1:
        raise UsageError("--preview and --thumb do not go together", mend="call rt-view once for each")
    if not asked:
        return None
    unfit = next((word for word in ("panels", "focal_plane", "blink", "page", "scales") if settings[word]), None)
    if unfit:
        word = "html" if unfit == "page" else unfit.replace("_", "-")
        raise UsageError(f"--{asked[0]} and --{word} do not go together")
    return asked[0]


def archive_settings(kind, settings, typed):
    """Settings with the look of previews where nothing else is typed.

    Parameters
    ----------
    kind : str or None
        As `archive_kind` says it.
    settings : dict
        The options of rt-view.
    typed : frozenset of str
        Those that stand on the command line.

    Returns
    -------
    dict
    """
    if kind is None:
        return settings
    look = {name: value for name, value in LOOK.items() if name not in typed}
    if "stretch" in typed:
        look.pop("limits", None)
    return settings | look | {"side": SIDES[kind]}


def archive_name(kind, name):
    """Name of the picture of a file.

    Parameters
    ----------
    kind : str
        ``preview`` or ``thumb``.
    name : str
        Path of the file.

    Returns
    -------
    str
        Without a directory.
    """
    path = Path(name)
    mission = "jwst" if path.suffix == ".fits" else "roman"
    return NAMES[mission][kind].format(stem=path.stem)


def archive_dpi(kind, figure):
    """Dots of an inch with which a figure is no larger than it may be.

    Parameters
    ----------
    kind : str or None
        ``preview``, ``thumb``, or None for neither.
    figure : matplotlib.figure.Figure
        What is saved.

    Returns
    -------
    float
        Of images, which have that size already, and of pictures that may be of any size, it is the usual one.
    """
    from rtools.show.plot import DPI

    if kind is None or not figure.get_frameon():
        return DPI
    return SIDES[kind] / (max(figure.get_size_inches()) + PADDING)


def with_compass(kind, product, wishes):
    """Wishes with the arrow to north that previews have, where the image has world coordinates.

    Parameters
    ----------
    kind : str or None
        As `archive_kind` says it.
    product : rtools.products.io.face.ProductFace
        Opened.
    wishes : rtools.show.wishes.Wishes
        What is asked for.

    Returns
    -------
    rtools.show.wishes.Wishes
    """
    from rtools.show.aligned import system_of

    if kind != "preview" or wishes.compass or system_of(product) is None:
        return wishes
    return replace(wishes, compass=True)
