"""Pictures that rt-view makes of several inputs at once: in colour, blinking, side by side, as a page."""

from __future__ import annotations

import io
from contextlib import ExitStack

import click

from rtools.commands.kit.inputs import local
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.errors import UsageError
from rtools.products.names.extensions import form_of_name

__all__ = ["TOGETHER", "draw_together", "way_of"]

TOGETHER = ("blink", "page", "scales", "difference", "focal_plane", "panels", "each")
"""Settings that are about several inputs at once."""


PLANE = ("array", "resultant", "integration", "group", "wave", "section", "frame", "flags")
OVERLAYS = ("catalog", "segmentation", "regions", "residuals", "grid", "compass", "wcs")
LOOK = ("stretch", "limits", "cmap")

MEANT = {
    "colour": (*PLANE, *OVERLAYS, "title", "bare", "scales"),
    "blink": (*PLANE, *LOOK, "wcs", "bare", "blink", "difference"),
    "html": (*PLANE[:-1], *LOOK, "catalog", "wcs", "title", "page"),
    "focal_plane": ("array", "resultant", "flags", *LOOK, "compass", "title", "bare", "focal_plane"),
    "panels": (*PLANE, *LOOK, *OVERLAYS, "title", "bare", "panels", "each"),
}
"""Settings that mean something for each way; all others are refused."""

WORDS = {"colour": "three images in colour", "focal_plane": "--focal-plane"}


def way_of(names, output, settings):
    """How several inputs become one picture.

    Parameters
    ----------
    names : sequence of str
        The inputs.
    output : str or None
        -o.
    settings : dict
        The options of rt-view.

    Returns
    -------
    str or None
        ``html``, ``blink``, ``colour``, ``focal_plane``, ``panels``; None where each input has a picture of its own.

    Raises
    ------
    UsageError
        Options do not go together.
    """
    asked = [word for word in ("page", "blink", "focal_plane", "panels") if settings[word]]
    if len(asked) > 1 or (settings["page"] and output):
        words = [f"--{'html' if word == 'page' else word.replace('_', '-')}" for word in asked] + ["-o"]
        raise UsageError(f"{words[0]} and {words[1]} do not go together")
    if settings["each"] and not settings["panels"]:
        raise UsageError("--each goes with --panels")
    if settings["page"]:
        return "html"
    if settings["focal_plane"] or settings["panels"]:
        if not output or form_of_name(output) == "gif":
            raise UsageError(f"--{asked[0].replace('_', '-')} needs a picture", mend="give -o FILE.png")
        return asked[0]
    gif = form_of_name(output or "") == "gif"
    if settings["blink"] or gif:
        if not (gif and len(names) > 1):
            raise UsageError("--blink takes two images or more, and -o FILE.gif", mend="of one image write a .png")
        return "blink"
    if settings["difference"]:
        raise UsageError("--difference goes with --blink", mend="rt-diff A B -o X.png draws the difference in sigma")
    if output and len(names) == 3:
        return "colour"
    if settings["scales"]:
        raise UsageError("--scales goes with three images and -o", mend="rt-view R G B -o colour.png")
    return None


def draw_together(console, names, way, output, settings, *, overwrite):
    """Write one picture of all inputs, and print its path.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
    names : sequence of str
        The inputs.
    way : str
        As `way_of` says it.
    output : str
        Where the picture goes; - is stdout.
    settings : dict
        The options of rt-view.
    overwrite : bool
        Whether a picture that exists is replaced.
    """
    from rtools.products.opening import open_any
    from rtools.show.stretch import require_matplotlib
    from rtools.show.wishes import Wishes

    _check_meant(way, len(names), settings["typed"])
    for name in names:
        path = Outputs(output, None, overwrite=overwrite, inputs=[name]).path(name, "")
    require_matplotlib()
    kinds = {"colour": _colour, "blink": _blink, "html": _page, "focal_plane": _focal_plane, "panels": _panels}
    more = {name: settings.pop(name) for name in TOGETHER}
    if len(names) > 1:
        settings["wcs"] = None
    with ExitStack() as stack:
        paths = [stack.enter_context(local(name)) for name in names]
        opened = [stack.enter_context(open_any(one, others=True, references=True)) for one in paths]
        content = kinds[way](opened, Wishes(**settings), console.log, more, output)

    def make(name):
        from rtools.products.io.staging import Stage

        stage = Stage(name)
        with stage.open() as file:
            file.write(content)
        return stage

    deliver(path, f"picture.{way}", make)
    if path is not None:
        click.echo(path)


def _check_meant(way, count, typed):
    """Refuse what is typed and means nothing for a way that several inputs become one picture."""
    words, ways = {"flags": "dq", "page": "html"}, WORDS.get(way, f"--{way}")
    for name in sorted(typed - set(MEANT[way])):
        raise UsageError(f"--{words.get(name, name.replace('_', '-'))} does not go with {ways}")
    if "wcs" in typed and count > 1:
        raise UsageError(f"--wcs is about one image, and {count} are given", mend="their own are used")


def _colour(products, wishes, tell, more, output):
    from rtools.show.colour import parse_scales
    from rtools.show.together import plot_colours

    scales = parse_scales(more["scales"]) if more["scales"] else None
    return _saved(plot_colours(products, wishes, tell, scales), output)


def _saved(figure, output):
    """The bytes of a figure in the form that the name of its file says."""
    from rtools.show import plot

    file = io.BytesIO()
    plot.save(figure, file, form_of_name(output) or "png")
    return file.getvalue()


def _focal_plane(products, wishes, tell, _more, output):
    from rtools.show.focal_plane import load_focal_plane, plot_focal_plane

    return _saved(plot_focal_plane(load_focal_plane(products, wishes, tell), wishes), output)


def _panels(products, wishes, tell, more, output):
    from rtools.show.panels import plot_panels

    return _saved(plot_panels(products, wishes, tell, each=more["each"]), output)


def _blink(products, wishes, tell, more, _output):
    from rtools.show.together import blinking_frames

    first, *others = blinking_frames(products, wishes, tell, difference=more["difference"])
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=SHOWN, loop=0)
    return file.getvalue()


SHOWN = 700
"""Milliseconds that each image of an animation is shown."""


def _page(products, wishes, tell, _more, output):
    from rtools.show.names import shown_name
    from rtools.show.viewer import viewer_page

    return viewer_page(products, wishes, tell, title=wishes.title or shown_name(products[0])).encode()
