"""What romancal makes of the exposures of `tests.support.dithers`, for tests/data; runs in romancal's environment.

usage: mosaic_peer.py DIRECTORY OUT.npz     the directory holds `dithers.exposures(…, profile="1.5.0")`
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("STPIPE_DISABLE_CRDS_STEPPARS", "true")
from stpipe import crds_client  # isort: skip

crds_client.get_context_used = lambda *_words, **_more: "roman_0000.pmap"

import asdf  # noqa: E402
import numpy as np  # noqa: E402
from romancal.datamodels import ModelLibrary  # noqa: E402
from romancal.flux import FluxStep  # noqa: E402
from romancal.outlier_detection import OutlierDetectionStep  # noqa: E402
from romancal.resample import ResampleStep  # noqa: E402
from romancal.skymatch import SkyMatchStep  # noqa: E402

LEVELS = {
    "match mode": {},
    "match median": {"skystat": "median"},
    "match mean": {"skystat": "mean"},
    "match midpt": {"skystat": "midpt"},
    "match up": {"match_down": False},
    "match clipped": {"skystat": "mean", "nclip": 2, "lsigma": 2.0, "usigma": 1.5, "lower": 0.1, "upper": 0.6},
    "local mode": {"skymethod": "local"},
    "local median": {"skymethod": "local", "skystat": "median"},
    "global mode": {"skymethod": "global"},
    "global+match median": {"skymethod": "global+match", "skystat": "median"},
}

COADDS = {
    "square": {},
    "square 0.7": {"pixfrac": 0.7},
    "point": {"kernel": "point"},
    "turbo": {"kernel": "turbo"},
    "turbo 0.7": {"kernel": "turbo", "pixfrac": 0.7},
    "gaussian": {"kernel": "gaussian"},
    "lanczos2": {"kernel": "lanczos2"},
    "lanczos3": {"kernel": "lanczos3"},
    "exptime": {"weight_type": "exptime"},
    "flat": {"include_var_flat": True},
    "fine": {"pixel_scale_ratio": 0.5, "output_shape": [300, 300], "crpix": [150.0, 140.0]},
    "fine turbo": {"pixel_scale_ratio": 0.5, "output_shape": [300, 300], "crpix": [150.0, 140.0], "kernel": "turbo"},
    "good bits": {"good_bits": "~DO_NOT_USE+JUMP_DET"},
}

PLACES = 400
"""Pixels kept of each coadd."""


def library(files):
    """The files, read anew."""
    os.chdir(Path(files[0]).parent)
    members = [{"expname": Path(file).name, "exptype": "science"} for file in files]
    asn = {"products": [{"name": "m", "members": members}], "asn_pool": "none", "target": "none", "asn_rule": "x"}
    Path("m_asn.json").write_text(json.dumps(asn))
    return ModelLibrary("m_asn.json")


def run(step, models, **settings):
    """A step with these parameters."""
    made = step()
    for key, value in settings.items():
        setattr(made, key, value)
    return made.run(models)


def each(models, function):
    """A function of every member."""
    with models:
        return list(models.map_function(lambda model, _index: function(model), modify=False))


def plain(value):
    """Metadata as JSON takes them."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple) or type(value).__name__ == "LNode":
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(getattr(value, "isot", value))


def columns(table):
    """A table as JSON takes it."""
    return {name: [plain(value) for value in table[name]] for name in table.colnames}


def grid(wcs, shape):
    """A tangent plane in numbers."""
    transform = wcs.forward_transform
    found = {key: np.ravel(getattr(transform, key).value).tolist() for key in ("crpix", "crval", "cdelt", "pc")}
    return found | {"shape": list(map(int, shape))}


def main(directory, out):
    """Run romancal and write the golden file."""
    files, out = sorted(map(str, Path(directory).resolve().glob("*_cal.asdf"))), Path(out).resolve()
    rng, kept, told = np.random.default_rng(1), {}, {"levels": {}, "grids": {}}
    fluxed = run(FluxStep, library(files))
    names = ("data", "err", "var_poisson", "var_rnoise", "var_flat")
    kept["flux"] = np.array(each(fluxed, lambda model: [np.asarray(model[name]).ravel()[::997] for name in names]))
    for name, settings in LEVELS.items():
        matched = run(SkyMatchStep, run(FluxStep, library(files)), **settings)
        told["levels"][name] = each(matched, lambda model: float(model.meta.background.level))
    matched = run(SkyMatchStep, fluxed)
    before = each(matched, lambda model: np.array(model.dq))
    flagged = run(OutlierDetectionStep, matched, resample_on_skycell=False)
    found = each(flagged, lambda model: np.array(model.dq))
    kept["outliers"] = np.array([np.packbits((one & ~two & 128) != 0) for one, two in zip(found, before, strict=True)])
    for name, settings in COADDS.items():
        coadd = run(ResampleStep, flagged, resample_on_skycell=False, propagate_dq=True, **settings)
        shape = coadd.data.shape
        told["grids"][name] = grid(coadd.meta.wcs, shape) | {"ratio": coadd.meta.resample.pixel_scale_ratio}
        at = rng.choice(shape[0] * shape[1], PLACES, replace=False)
        names = ["data", "weight", "err", "var_rnoise", "var_poisson", *(["var_flat"] if name == "flat" else [])]
        kept[f"{name}: at"] = at.astype(np.uint32)
        kept[f"{name}: values"] = np.array([np.asarray(coadd[key]).ravel()[at] for key in names], np.float32)
        kept[f"{name}: context"] = np.asarray(coadd.context)[0].ravel()[at].astype(np.uint8)
        kept[f"{name}: dq"] = np.asarray(coadd.dq).ravel()[at].astype(np.uint8)
        if name == "square":
            left_out = ("wcs", "cal_logs", "individual_image_meta")
            told["meta"] = {key: plain(value) for key, value in coadd.meta.items() if key not in left_out}
            told["tables"] = {key: columns(table) for key, table in coadd.meta.individual_image_meta.items()}
    np.savez_compressed(out, told=json.dumps(told), **kept)


if __name__ == "__main__":
    asdf.get_config()
    main(*sys.argv[1:])
