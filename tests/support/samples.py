"""Small but complete products of every kind, made from the description of the products alone."""

import numpy as np

from rtools.products.io import writer
from rtools.products.schema import history, layout, nodes
from rtools.wfi import metadata

SIZES = {"N": 3, "D": 4, "P": 1, "I": 6, "J": 6, "K": 6, "L": 6, "M": 5, "Y": 8, "X": 8,
         "YJ": 8, "XJ": 8, "YL": 8, "XL": 4, "YK": 4, "XK": 4, "AJ": 6, "AL": 6, "AK": 6}  # fmt: skip
FRAME = {4096: 136, 4088: 128, 5000: 24, 286721: 33, 128: 128}
"""Lengths stand for full-size ones; no frame array is so small (512 elements) that it would stand in the tree."""
READ_PATTERN = [[1], [2, 3], [4, 5, 6, 7]]
REFTYPES = {"reference/superbias": "BIAS"}
START = "2027-01-01T00:00:00.000"
NUMBERS = {
    "resample.pixfrac": 1.0,
    "velocity_aberration.scale_factor": 1.0,
    "wcsinfo.pixel_scale": 1.5e-5,
    "wcsinfo.pixel_scale_ref": 1.5e-5,
}
"""Of keys that cannot be 1.5."""
KINDS = ("l1_uncal", "ramp", "l2_image", "wcs", "l1_gw", "l1_face", "l3_coadd", "segm_exposure", "segm_mosaic")
REFERENCES = [
    "mask",
    "saturation",
    "refpix",
    "linearity",
    "inverselinearity",
    "gain",
    "readnoise",
    "flat",
    "area",
    "ipc",
    "superbias",
]
CASES = [(profile, kind) for profile in layout.PROFILES for kind in (*KINDS, *(f"reference/{r}" for r in REFERENCES))]
"""Every profile with every kind."""
SIMULATED = [history.entry("rt-sim", words=())]
"""History of what tests make up: such data may have the built-in references unasked."""


def meta(kind, profile="2.1.0"):
    """Metadata with every field that the schema of a kind requires."""
    made = {under: {} for _block, under, required in layout.blocks(kind) if under and required}
    for field in layout.fields(kind, profile):
        if field.required:
            metadata.put(made, field.path, _value(field))
    if kind.startswith("reference/"):
        made["reftype"] = REFTYPES.get(kind, kind.partition("/")[2].upper())
    return made


def _value(field):
    rule, types = field.rule, field.type.split("|")
    if field.path.endswith("read_pattern"):
        return READ_PATTERN
    if field.path in NUMBERS:
        return NUMBERS[field.path]
    if "null" in types and rule.get("enum") is None:
        return None
    if "enum" in rule:
        return _words(rule["enum"])[0]
    if types[0] == "time":
        return nodes.time(START)
    if types[0] == "array":
        if isinstance(rule.get("items"), dict):
            return []
        words = _words(rule.get("items_enum", []))
        few = int(rule.get("minItems", 1))
        item = {"string": "x", "integer": 1, "number": 1.0}.get(rule.get("items"), [1.0, 0.0])
        return [words[0] if words else item] * few
    if "p_exptype" in field.path:
        return "WFI_IMAGE|"
    return {"string": "x", "integer": 1, "number": 1.5, "boolean": False, "object": {}, "gwcs": None}[types[0]]


def _words(enum):
    if isinstance(enum, list):
        return enum
    name, _, _more = enum.partition("|")
    return layout.facts()["enums"][name] if name else []


def arrays(kind, profile="2.1.0", seed=0):
    """Every array of a kind, small, filled with numbers that are all different."""
    rng = np.random.default_rng(seed)
    return {path: _array(array, rng) for path, array in layout.arrays(kind, profile).items()}


def _array(array, rng):
    shape = tuple(_length(length) for length in array.shape)
    if array.dtype == "time[]":
        return [nodes.time(f"2027-01-01T00:00:{second:02d}.000") for second in range(shape[0])]
    if array.dtype == "string[]":
        return ["WIM_TRK"] * shape[0]
    if array.dtype.startswith("U"):
        return np.full(shape, "AQ_DOF_3", array.dtype)
    if array.dtype == "bool8":
        return rng.random(shape) < 0.5
    dtype = np.dtype(array.dtype)
    if dtype.kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    if dtype.kind == "f":
        return rng.normal(100, 10, shape).astype(dtype)
    return rng.integers(0, min(np.iinfo(dtype).max, 1 << 30), shape, endpoint=True).astype(dtype)


def _length(length):
    return SIZES.get(length, 3) if isinstance(length, str) else FRAME.get(length, length)


def wcs(scale=0.11 / 3600, ra=270.0, dec=66.0):
    """A gwcs: pixels to the sky by a tangent projection."""
    import gwcs
    from astropy import coordinates, units
    from astropy.modeling import models
    from gwcs import coordinate_frames

    detector = coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="world")
    to_sky = (
        (models.Shift(-16.0) & models.Shift(-16.0))
        | models.AffineTransformation2D(matrix=[[-scale, 0.0], [0.0, scale]])
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(ra, dec, 180.0)
    )
    return gwcs.WCS([(detector, to_sky), (sky, None)])


def write(directory, profile, kind):
    """A product of a kind and profile in a file of its own; its path."""
    metadata, extra = meta(kind, profile), {}
    if kind in ("l2_image", "l3_coadd"):
        metadata["wcs"] = wcs()
    if kind == "wcs":
        extra = {"wcs_l1": wcs(), "wcs_l2": wcs()}
    path = directory / f"{profile}_{kind.replace('/', '-')}.asdf"
    writer.write_product(path, kind, metadata, arrays(kind, profile), profile=profile, extra=extra)
    return path
