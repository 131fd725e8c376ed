"""What is asked of rt-view, checked before any work: options that go together, and where pictures go."""

import sys
from pathlib import Path

import click

from rtools.commands.kit import inputs
from rtools.commands.kit.view_archive import archive_name
from rtools.errors import RtoolsError, UsageError

__all__ = ["check_asked", "parse_pixel", "targets_of", "typed_of"]


def check_asked(names, output, outdir, settings, *, together, kind=None):
    """Refuse what does not go together, before any work."""
    if not names:
        raise UsageError("the list names no input file")
    terminal = sorted(typed_of(("graphics", "width")))
    if (output or outdir or kind or together) and terminal:
        raise UsageError(f"--{terminal[0]} is about the terminal", mend="leave it out, or write no file")
    if output and outdir:
        raise UsageError("-o and --outdir do not go together")
    if output and len(names) > 1 and not together:
        raise UsageError("-o names one output", mend="--outdir for several; --panels, or three in colour")
    if together:
        unfit = next((word for word in ("outdir", "ramp", "hist", "rate") if outdir or settings.get(word)), None)
        if unfit:
            raise UsageError(f"--{'at' if unfit == 'ramp' else unfit} is not about several images at once")
    if output == "-" and sys.stdout.isatty():
        raise UsageError("will not write a picture to a terminal", mend="redirect it, or give -o a name")
    if settings["ramp"] and settings["hist"]:
        raise UsageError("--at and --hist do not go together")
    if settings["rate"] and not settings["ramp"]:
        raise UsageError("--rate goes with --at or --ramp")
    image_only = ("catalog", "segmentation", "regions", "residuals", "grid", "compass")
    for word in (*image_only, "section", "array", "resultant"):
        other = "at" if settings["ramp"] else "hist" if settings["hist"] and word in image_only else None
        if other and settings[word] not in (None, False):
            raise UsageError(f"--{word} does not go with --{other}")
    for word in ("grid", "bare", "residuals"):
        _needs_picture(word, settings[word] and not (output or outdir or kind or settings["page"]))
    if settings["cmap"] != "inferno":
        from rtools.show.terminal import colour_table

        colour_table(settings["cmap"])
    if settings["frame"] and not (settings["section"] or settings["ramp"]):
        raise UsageError("--frame goes with --section or --at")


def _needs_picture(word, missing):
    if missing:
        raise UsageError(f"--{word} needs a picture", mend="give -o FILE.png; --compass works in the terminal")


def targets_of(names, output, outdir, *, overwrite, kind=None):
    """Path of each input's picture, None for stdout; empty where text is wanted."""
    from rtools.show.stretch import require_matplotlib

    if not (output or outdir or kind):
        return {}
    require_matplotlib()
    if output == "-":
        return {names[0]: None}
    targets = {names[0]: Path(output)} if output else {}
    if kind and not output:
        own = {name: "stdin" if inputs.is_stream(name) else name for name in names}
        targets = {name: Path(outdir or Path(path).parent) / archive_name(kind, path) for name, path in own.items()}
    elif outdir:
        stems = {name: "stdin" if inputs.is_stream(name) else Path(name).stem for name in names}
        targets = {name: Path(outdir) / f"{stem}.png" for name, stem in stems.items()}
    for name, path in targets.items():
        twin = next((other for other in targets if other != name and targets[other] == path), None)
        if twin:
            raise UsageError(f"{name} and {twin} would both be {path}")
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    return targets


def typed_of(names):
    """Which of some options stand on the command line."""
    context = click.get_current_context()
    return frozenset(name for name in names if context.get_parameter_source(name).name == "COMMANDLINE")


def parse_pixel(text):
    try:
        x, y = map(int, text.split(","))
    except ValueError:
        raise UsageError(f"--at {text}: X,Y expected, as 1234,2345") from None
    return x, y
