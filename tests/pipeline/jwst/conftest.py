"""A small raw exposure of JWST with two integrations, and all that its chain makes."""

import pytest

from tests.support.runs import done

ROOT = "jw01234001001_02101_00001_nrca1"


@pytest.fixture(scope="session")
def raw_jwst(tmp_path_factory):
    """Two integrations of 64 x 64 pixels in a corner of the detector; a star in the middle saturates some of them."""
    path = tmp_path_factory.mktemp("raw_jwst") / f"{ROOT}_uncal.fits"
    done("sim", path, "--subarray", "SUB64P", "--ngroups", "7", "--nints", "2", "--mag", "11", "--no-truth")
    return path


@pytest.fixture(scope="session")
def ran_jwst(raw_jwst, tmp_path_factory):
    """Directory with the products of all steps of `raw_jwst`, ipc and chargemig among them."""
    directory = tmp_path_factory.mktemp("ran_jwst")
    done("run", raw_jwst, "--builtin", "--with", "ipc", "--with", "chargemig", "--save-steps", "--outdir", directory)
    return directory
