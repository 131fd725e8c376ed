"""rt-dq --at, --sky: what a file, and what belongs to it, says of single pixels."""

import shutil
import sys
from typing import Any, NamedTuple

import click
import numpy as np

from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import opened
from rtools.commands.kit.positions import Positions, pixels_of
from rtools.commands.kit.terminal import terminal_style
from rtools.errors import InputError, OutsideError, RtoolsError, UsageError
from rtools.wfi import dq

__all__ = ["AskedPixels", "show_pixels"]


class AskedPixels(NamedTuple):
    """What is asked of the pixels of each file.

    Attributes
    ----------
    positions : Positions
        Which pixels.
    frame : str or None
        Frame in which numbers of pixels count; None for that of the file.
    ramp : bool
        Whether the ramp is told, too.
    config : rtools.reference.find.Config or None
        Where references are looked for; None for not at all.
    """

    positions: Positions
    frame: str | None
    ramp: bool
    config: Any


def show_pixels(console, name, asked, *, as_json):
    """Print what a file says of the pixels that are asked for.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    name : str
        The file as it was typed.
    asked : AskedPixels
        Which pixels, and what of them.
    as_json : bool
        Print an object for each pixel instead.

    Raises
    ------
    InputError
        The file cannot be read, or none of the positions is in it.
    """
    from rtools.show.pixel import pixel_facts

    with opened(name, jwst=True) as product:
        wcs = _wcs(product, needed=asked.positions.frame == "sky")
        places = _pixels(product, asked, wcs)
        answers = None if asked.config is None else _answers(console, product, asked.config)
        reports = []
        for called, x, y in places:
            facts = pixel_facts(product, x, y, wcs)
            said = _of_references(product, facts, answers)
            ramps = _ramps(product, x, y) if asked.ramp else []
            reports.append((called, facts, said, ramps))
    missing = [answer.type for answer in answers or () if answer.status == "missing"]
    for called, facts, said, ramps in reports:
        if as_json:
            json_line(_record(name, called, facts, said, ramps))
        else:
            _print(name, facts, said, ramps)
    if missing and console.verbosity > 0:
        console.log("info", f"{name}: references not found: {' '.join(missing)}")


def _wcs(product, *, needed):
    from rtools.products.edit.wcs import load_wcs

    try:
        return load_wcs(product)
    except InputError:
        if needed:
            raise
        return None


def _pixels(product, asked, wcs):
    """Names and whole pixels of the positions that lie in the file."""
    from rtools.astrometry.pixels import on_image
    from rtools.products.edit.section import FRAMES, frame_of
    from rtools.show.pixel import pixels_shape
    from rtools.wfi.frame import BORDER

    x, y = pixels_of(asked.positions, product, wcs)
    own = frame_of(product)
    if asked.frame and asked.frame != own:
        if asked.positions.frame == "sky":
            raise UsageError("--frame goes with --at, not with positions on the sky")
        if own not in FRAMES:
            raise UsageError(f"--frame {asked.frame}: pixels of this product belong to no detector frame")
        shift = BORDER if own == "l1" else -BORDER
        x, y = x + shift, y + shift
    rows, columns = pixels_shape(product)
    inside = on_image((rows, columns), x, y)
    if not inside.any():
        outside = asked.positions.names[0] if len(x) == 1 else f"none of {len(x)} positions"
        text = f"{outside} is outside of the {columns} x {rows} pixels" if len(x) == 1 else f"{outside} is in it"
        raise OutsideError(text, path=product.path)
    return [
        (asked.positions.names[number], int(np.floor(x[number] + 0.5)), int(np.floor(y[number] + 0.5)))
        for number in np.flatnonzero(inside)
    ]


def _answers(console, product, config):
    """The references that the exposure of a file needs, as far as they are found; none for what is no exposure."""
    from rtools.commands.refs_fetch import uses_of
    from rtools.products.schema import history
    from rtools.reference import find
    from rtools.reference.missions import rules_of

    if product.kind in ("reference", "l3_coadd", "i2d") or product.kind.startswith("segm"):
        return None
    try:
        uses = uses_of(product.mission, product.meta, product.path)
        more = {} if product.mission == "jwst" else {"frame": _place(product, config).frame}
        simulated = history.is_simulated(product.history)
        rules = rules_of(product.mission)
        return find.survey(product.meta, uses, config, simulated=simulated, rules=rules, **more)
    except RtoolsError as error:
        console.log("warning", f"{product.path}: references are not told: {error.message}")
        return None


def _place(product, config):
    """Where the image lies in the frame of its detector."""
    from rtools.pipeline.catalog.placing import place_of
    from rtools.products.edit.section import frame_of
    from rtools.show.pixel import pixels_shape
    from rtools.wfi.frame import BORDER

    rows, columns = pixels_shape(product)
    margin = 2 * BORDER if frame_of(product) == "l2" else 0
    return place_of(product, (rows + margin, columns + margin), config)


def _of_references(product, facts, answers):
    from rtools.reference.at_pixel import references_at
    from rtools.show.pixel import pixels_shape
    from rtools.wfi.frame import BORDER, FRAME

    if not answers:
        return []
    if product.mission == "jwst":
        return references_at(answers, {pixels_shape(product): (facts.x, facts.y)})
    if "l1" not in facts.numbers:
        return []
    sizes = [answer.source.shape("data") for answer in answers if answer.type == "gain" and answer.source]
    rows, columns = sizes[0][-2:] if sizes else (FRAME, FRAME)
    whole, inner = (rows, columns), (rows - 2 * BORDER, columns - 2 * BORDER)
    return references_at(answers, {whole: facts.numbers["l1"], inner: facts.numbers["l2"]})


def _ramps(product, x, y):
    if product.mission == "jwst":
        from rtools.show.ramp_jwst import load_groups

        return load_groups(product, x, y)
    from rtools.show.ramp import load_ramp

    return [load_ramp(product, x, y)]


def _flag_words(product_bits, value):
    return ",".join(dq.names(value, product_bits)) or "GOOD"


def _number(values, digits=6, most=12):
    return " ".join(f"{value:.{digits}g}" for value in values[:most]) + " …" * (len(values) > most)


def _rows(facts, said):
    """What, value and remark, line by line."""
    for name, value in facts.flags.items():
        yield name, ",".join(facts.names(name)) or "GOOD", str(value)
    values = dict(facts.values)
    error = values.pop("err", None) if len(values.get("data", ())) == 1 else None
    for name, found in values.items():
        text = _number(found)
        if name == "data" and error:
            text += f" ± {_number(error)}"
        yield name, text, facts.units.get(name, "")
    for jump in facts.jumps:
        words = " ".join(f"{key} {jump[key]}" for key in ("integration", "group", "resultant") if key in jump)
        yield "jump", words + (f" at {jump['time']:.2f} s" if "time" in jump else ""), facts.jumps_from
    if facts.source:
        place = [f"{facts.source['ra']:.7f},{facts.source['dec']:+.7f}"] if "ra" in facts.source else []
        yield "source", " ".join([str(facts.source["label"]), *place]), facts.source["segments"]
    bits = next(iter(facts.bits.values()), dq.PIXEL)
    for one in said:
        parts = {array: _number(values, 4, 6) for array, values in one.values.items()}
        parts |= {array: _flag_words(bits, value) for array, value in one.flags.items()}
        yield f"ref {one.type}", _named(parts), one.label


def _named(parts):
    """Values of arrays as text; of several each but the first with its name."""
    return "; ".join(text if number == 0 else f"{array} {text}" for number, (array, text) in enumerate(parts.items()))


def _title(name, facts):
    """The file, and the pixel in all its numbers."""
    words = [f"{frame.upper() if frame != 'detector' else frame} {x},{y}" for frame, (x, y) in facts.numbers.items()]
    sky = [f"{facts.sky[0]:.7f},{facts.sky[1]:+.7f}"] if facts.sky else []
    return [name, "  ".join([f"  pixel {facts.x},{facts.y}", *words, *sky])]


def _print(name, facts, said, ramps):
    from rtools.show.ramp_drawing import draw_ramps
    from rtools.show.table import aligned

    rows = list(_rows(facts, said))
    if sys.stdout.isatty():
        rows = [(what, value, "" if what.startswith("ref ") else remark) for what, value, remark in rows]
        lines = [*_title(name, facts), *(f"  {line}" for line in aligned((), rows, width=0))]
        if ramps:
            lines += ["", *draw_ramps(ramps, terminal_style(shutil.get_terminal_size().columns))]
        click.echo("\n".join(lines))
        return
    rows = [(frame, f"{x},{y}", "pixel") for frame, (x, y) in facts.numbers.items()] + rows
    if facts.sky:
        rows.insert(0, ("sky", f"{facts.sky[0]:.7f},{facts.sky[1]:+.7f}", "deg"))
    for ramp in ramps:
        rows += [(f"{ramp.label} {ramp.word}".strip(), f"{number} {time:.2f} s {value:.6g}", ramp.words(number))
                 for number, (time, value) in enumerate(zip(ramp.times, ramp.values, strict=True))]  # fmt: skip
    lead = f"{name}\t{facts.x}\t{facts.y}"
    click.echo("\n".join("\t".join((lead, *row)).rstrip() for row in rows))


def _record(name, called, facts, said, ramps):
    """What --json says of a pixel."""
    flags = {array: {"value": value, "names": facts.names(array)} for array, value in facts.flags.items()}
    bits = next(iter(facts.bits.values()), dq.PIXEL)
    record = {"file": name, "status": "done", "position": called, "x": facts.x, "y": facts.y, **facts.numbers}
    record |= {"ra": facts.sky[0], "dec": facts.sky[1]} if facts.sky else {}
    record |= {"flags": flags, "units": facts.units, "jumps": facts.jumps, "source": facts.source or None}
    record["values"] = {array: values[0] if len(values) == 1 else values for array, values in facts.values.items()}
    record["references"] = [
        {"type": one.type, "reference": one.label, "values": one.values,
         "flags": {array: dq.names(value, bits) for array, value in one.flags.items()}} for one in said
    ]  # fmt: skip
    if ramps:
        record["ramps"] = [_ramp_record(ramp) for ramp in ramps]
    return record


def _ramp_record(ramp):
    samples = [
        {"time": float(time), "value": float(value), "flags": [word for word in ramp.words(number).split("|") if word]}
        for number, (time, value) in enumerate(zip(ramp.times, ramp.values, strict=True))
    ]
    rate = float(ramp.rate) if np.isfinite(ramp.rate) else None
    return {"word": ramp.word, "label": ramp.label, "unit": ramp.unit, "rate": rate, "source": ramp.source,
            "jumps": list(ramp.jumps), "samples": samples}  # fmt: skip
