"""What the writer takes and what it refuses; runs under any version of asdf that rtools supports.

usage: refusals.py DIRECTORY    prints {case: "accepted SIZE" or the refusal} as JSON; PYTHONPATH finds rtools
"""

import datetime
import json
import pathlib
import sys

import asdf
import numpy as np

from rtools.errors import RtoolsError
from rtools.products.io import open_product, writer
from rtools.wfi import metadata
from rtools.wfi.times import iso_time
from tests.support import samples

BIG = np.arange(4096 * 16, dtype="f4").reshape(4096, 16)


def set_meta(path, value):
    """A case that changes one metadata field; a value that costs an import is given as a function."""
    return lambda meta, arrays: metadata.put(meta, path, value() if callable(value) else value)


def set_array(name, value):
    """A case that changes one array."""
    return lambda meta, arrays: arrays.__setitem__(name, value() if callable(value) else value)


def drop(path):
    """A case that removes a metadata field."""

    def change(meta, arrays):
        *blocks, last = path.split(".")
        del metadata.get(meta, ".".join(blocks), meta)[last]

    return change


def _quantity():
    from astropy import units

    return np.zeros((136, 136), "u4") * units.one


def _time():
    from astropy.time import Time

    return Time("2027-01-01T00:00:00", scale="utc")


PLANE = np.arange(136 * 136, dtype="u4").reshape(136, 136)

CASES = {
    "accepted": {
        "numpy float": set_meta("exposure.frame_time", np.float32(3.0)),
        "numpy integer": set_meta("exposure.nresultants", np.int64(3)),
        "numpy string": set_meta("exposure.type", np.str_("WFI_IMAGE")),
        "numpy bool": set_meta("exposure.truncated", np.bool_(True)),
        "integer for number": set_meta("exposure.frame_time", 3),
        "nan and inf": set_meta("pointing.ra_v1", float("nan")),
        "astropy time": set_meta("exposure.start_time", _time),
        "big-endian array": set_array("pixeldq", PLANE.astype(">u4")),
        "fortran order": set_array("pixeldq", np.asfortranarray(PLANE)),
        "broadcast array": set_array("pixeldq", np.broadcast_to(np.uint32(5), (136, 136))),
        "view of a larger array": set_array("extra_view", BIG[:60, :16]),
        "integers that fit": set_array("pixeldq", PLANE.astype("i8")),
        "extra array": set_array("something", np.zeros(1000)),
        "extra key": set_meta("rtools.note", "mine"),
        "tuple": set_meta("rtools.pair", (1, 2)),
        "set": set_meta("rtools.set", {1}),
        "complex": set_meta("rtools.z", 1 + 2j),
        "integer key": set_meta("rtools", {1: "one"}),
        "path": set_meta("rtools.path", pathlib.Path("a") / "b"),
        "null for a nullable field": set_meta("exposure.data_problem", None),
    },
    "refused": {
        "meta.exposure.nresultants: 3.0": set_meta("exposure.nresultants", 3.0),
        "meta.exposure.nresultants: True": set_meta("exposure.nresultants", True),
        "meta.exposure.start_time: mismatched tags": set_meta("exposure.start_time", "2027-01-01T00:00:00"),
        "meta.exposure.end_time: mismatched tags": set_meta("exposure.end_time", datetime.datetime(2027, 1, 1)),
        "pixeldq: a MaskedArray": set_array("pixeldq", np.ma.masked_equal(PLANE, 3)),
        "pixeldq: a Quantity": set_array("pixeldq", _quantity),
        "data: Expected datatype": set_array("data", np.zeros((3, 136, 136), "c8")),
        "data: Wrong number of dimensions": set_array("data", np.zeros((136, 136), "f4")),
        "pixeldq: values beyond uint32": set_array("pixeldq", PLANE.astype("i8") - 1),
        "groupdq: Expected datatype": set_array("groupdq", np.zeros((3, 136, 136), "f4")),
        "meta.instrument.detector: 'wfi01'": set_meta("instrument.detector", "wfi01"),
        "meta.instrument.optical_element: 'f158'": set_meta("instrument.optical_element", "f158"),
        "meta.cal_step.dark: 'complete'": set_meta("cal_step.dark", "complete"),
        "meta.exposure.type: 'WFI_GRISM_X'": set_meta("exposure.type", "WFI_GRISM_X"),
        "meta.exposure.ma_table_id": set_meta("exposure.ma_table_id", "x" * 11),
        "meta.exposure: 'frame_time'": drop("exposure.frame_time"),
        "meta: 'pointing'": drop("pointing"),
        "data' is a required": lambda meta, arrays: arrays.pop("data"),
    },
}


def outcome(change, path):
    """Write a ramp with one change."""
    meta, arrays = samples.meta("ramp"), samples.arrays("ramp")
    change(meta, arrays)
    try:
        writer.write_product(path, "ramp", meta, arrays, compression="none")
    except RtoolsError as error:
        return error.message
    with asdf.open(path, validate_checksums=True, lazy_load=False, ignore_unrecognized_tag=True) as file:
        assert "data" in file["roman"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(open_product(path).array(name), array)
    assert iso_time(open_product(path).meta["file_date"])
    return f"accepted {path.stat().st_size}"


def main(directory):
    """All cases."""
    outcomes = {}
    for verdict, cases in CASES.items():
        for number, (name, change) in enumerate(cases.items()):
            outcomes[name] = outcome(change, pathlib.Path(directory) / f"{verdict}{number}_dqinit.asdf")
    return outcomes


if __name__ == "__main__":
    json.dump({"asdf": asdf.__version__, "outcomes": main(sys.argv[1])}, sys.stdout)
