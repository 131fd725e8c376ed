"""The golden files of the peer, made small for tests/data/jwst: inputs, references, answers of the steps of jwst 3.0.0.

usage: jwst_golden.py GOLDEN OUT     GOLDEN has a directory for each part, OUT gets PART.tar.xz

A part is a directory of in_* (inputs), ref_* (references), out_* (what the step of the peer that options.json names,
with its options, made of them), drawn from fixed seeds: FITS, ECSV, ASDF and JSON files.

All parts are kept whole, but for the full frame of the reference-pixel step (part ``ramps``). Of that, pixels that are
neither reference pixels nor in every `EVERY`-th column are zero in input and answer, in an archive of its own. The step
takes its levels from the reference pixels alone, so the answer of the others stays what it was.
"""

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from astropy.io import fits

PARTS = ("ramps", "edges", "image", "mosaic", "tso", "spec", "coron", "ami", "cube")

FULL = ("in_refpix_full.fits", "out_refpix_full.fits")
"""Files of the part ``ramps`` that are cut, for the archive ``refpix_full``."""

EVERY = 64
"""Of so many columns one is kept with all its pixels."""

BORDER = 4
"""Rows and columns of reference pixels on each side."""


def sparse(path):
    """Bytes of a full frame in which most pixels are zero."""
    with fits.open(path, memmap=False, do_not_scale_image_data=True) as hdus:
        pixels = hdus["SCI"].data
        kept = np.zeros(pixels.shape[-2:], bool)
        kept[:, ::EVERY] = True
        for side in (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:]):
            kept[side] = True
        pixels[..., ~kept] = 0
        buffer = io.BytesIO()
        hdus.writeto(buffer)
        return buffer.getvalue()


def plain(path):
    """Bytes of a file; of options with the names of files alone."""
    if path.name != "options.json":
        return path.read_bytes()
    options = json.loads(path.read_text(encoding="utf-8"))
    for one in options.values():
        for key, value in one.items():
            if isinstance(value, list):
                one[key] = [Path(name).name if isinstance(name, str) else name for name in value]
    return (json.dumps(options, indent=1) + "\n").encode()


def pack(out, files):
    """Write an archive that is the same whenever it is made of the same files."""
    with tarfile.open(out, "w:xz", preset=9) as archive:
        for name, content in sorted(files.items()):
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    whole = sum(map(len, files.values()))
    print(f"{out.name}: {len(files)} files, {whole >> 10} kB, packed {out.stat().st_size >> 10} kB")


def main(golden, out):
    """Pack all parts."""
    out.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        files = sorted(path for path in (golden / part).iterdir() if path.name not in FULL)
        pack(out / f"{part}.tar.xz", {f"{part}/{path.name}": plain(path) for path in files})
    pack(out / "refpix_full.tar.xz", {f"refpix_full/{name}": sparse(golden / "ramps" / name) for name in FULL})


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
