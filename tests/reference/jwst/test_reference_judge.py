"""stdatamodels opens the nominal references that rtools writes: the right model, no warning, arrays equal."""

import importlib.util

import pytest

from rtools.jwst.instrument import detector_facts
from rtools.jwst.readout import subarray, window
from rtools.reference.jwst import make
from rtools.reference.jwst.nominal import available_types
from rtools.reference.jwst.source import ARRAYS, TABLES
from rtools.reference.jwst.types import JWST_TYPES
from tests.support.judges import asked_of_jwst
from tests.support.places import JUDGES

pytestmark = pytest.mark.judges


def fingerprint_of():
    """The judge's function that tells arrays by type, shape and hash."""
    found = importlib.util.spec_from_file_location("jwst_judge", JUDGES / "jwst.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.fingerprint


@pytest.mark.parametrize(("detector", "filter_"), [("nrcalong", "F444W"), ("nis", "F480M"), ("mirimage", "F770W")])
def test_stdatamodels_opens_every_reference(tmp_path, detector, filter_):
    part = subarray(detector) if detector == "mirimage" else window(detector, 1, 1, 40, 24)
    planned = make.files([detector], [filter_], parts={detector: part})
    references = {one.type: one.reference() for one in planned}
    paths = {one.type: make.write(tmp_path / one.name, references[one.type]) for one in planned}
    assert tuple(paths) == available_types(detector)
    verdicts, fingerprint = asked_of_jwst("files", *paths.values()), fingerprint_of()
    for reftype, path in paths.items():
        verdict, reference = verdicts[str(path)], references[reftype]
        assert verdict["ok"], (reftype, verdict)
        assert verdict["model"] == JWST_TYPES[reftype].model_of(detector_facts(detector).instrument)
        assert [text for text in verdict["warnings"] if "was created with extension" not in text] == []
        assert verdict["values"]["meta.reftype"].lower() == reftype
        for name, array in reference.arrays.items():
            assert verdict["arrays"][ARRAYS[name]] == fingerprint(array)
        for name, rows in reference.tables.items():
            for column in rows.dtype.names:
                assert verdict["arrays"][f"{TABLES[name]}.{column}"] == fingerprint(rows[column])
