"""Products of every kind and profile before all versions of roman_datamodels; the refusal table under both asdf."""

import json
import os
import subprocess
from pathlib import Path

import lazy_loader
import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.products.io import open_product, writer
from rtools.products.io.ramp import RampWriter
from rtools.products.schema import layout, tags
from tests.support import judges, samples
from tests.support.places import JUDGES, ROOT
from tests.support.validity import validate_tree

pytestmark = pytest.mark.judges

LIKE = {"before wcs": "l2_image", "streamed": "ramp"}


def image_without_wcs(directory, profile):
    path = directory / f"{profile}_rampfit.asdf"
    meta = samples.meta("l2_image", profile) | {"wcs": None}
    writer.write_product(path, "l2_image", meta, samples.arrays("l2_image", profile), profile=profile)
    return path


def streamed(directory, profile):
    arrays = samples.arrays("ramp", profile)
    ramp = RampWriter(directory / f"{profile}_linearity.asdf", {}, (3, 136, 136), profile=profile)
    ramp.put(0, 136, arrays["data"], arrays["groupdq"], arrays["pixeldq"])
    small = {name: array for name, array in arrays.items() if "border" in name or "amp" in name}
    return ramp.finish(samples.meta("ramp", profile), small).commit()


@pytest.mark.parametrize("version", judges.newest_only(judges.OPENS))
def test_roman_datamodels_opens_and_validates_every_product_in_every_profile(tmp_path, judge, version):
    paths = {case: samples.write(tmp_path, *case) for case in samples.CASES}
    for profile in layout.PROFILES:
        paths[profile, "before wcs"] = image_without_wcs(tmp_path, profile)
        paths[profile, "streamed"] = streamed(tmp_path, profile)
    for path in paths.values():
        with open_product(path) as product:
            assert validate_tree(product) == []
    verdicts = judge(version, paths.values())
    wrong = {case: verdicts[str(path)] for case, path in paths.items() if not agrees(version, case, path, verdicts)}
    assert wrong == {}
    found = verdicts[str(paths["2.0.0", "l2_image"])]["wcs"]
    np.testing.assert_allclose(found, samples.wcs()(10, 20), rtol=0, atol=1e-12)


def agrees(version, case, path, verdicts):
    """Whether a judge says what it should: all is well, or that the tags of newer profiles are too new for it."""
    profile, kind = case
    verdict, kind = verdicts[str(path)], LIKE.get(kind, kind)
    if tags.tag(kind, profile) not in [tags.tag(kind, opened) for opened in judges.OPENS[version]]:
        return "unknown datamodel type" in verdict["problem"].lower()
    with open_product(path) as product:
        named = product.kind if product.reftype is None else f"reference/{product.reftype}"
        seen = {name.removeprefix("roman.") for name in verdict.get("arrays", ())}
        return verdict["ok"] and set(product.arrays) <= seen and verdict["model"] == layout.model(named)


def refusals(python, directory, borrowed):
    # a judge's environment has what roman_datamodels needs, and not all that rtools needs
    (borrowed / "lazy_loader").symlink_to(Path(lazy_loader.__file__).parent)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{borrowed}"}
    command = [python, JUDGES / "refusals.py", directory]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("version, of_asdf", judges.newest_only([("1.1.0", "5."), ("1.2.0", "6.")]))
def test_what_the_writer_takes_and_refuses(tmp_path, tmp_path_factory, version, of_asdf):
    found = refusals(judges.judge_python(version), tmp_path, tmp_path_factory.mktemp("borrowed"))
    assert found["asdf"].startswith(of_asdf)
    accepted = [name for name, outcome in found["outcomes"].items() if outcome.startswith("accepted")]
    assert len(accepted) == 20
    for name, outcome in found["outcomes"].items():
        if name not in accepted:
            assert name in outcome
    sizes = {name: int(found["outcomes"][name].split()[1]) for name in accepted}
    assert sizes["view of a larger array"] < sizes["numpy float"] + 5000  # the base has 262144 bytes
    assert len(list(tmp_path.iterdir())) == len(accepted)  # nothing of the refused ones is left


def test_a_profile_that_rad_does_not_have(monkeypatch, tmp_path):
    from rtools.products.io import serial

    monkeypatch.setattr(serial, "manifest", serial.manifest.__wrapped__)
    with pytest.raises(UsageError, match="the installed rad has no manifest datamodels-9"):
        serial.manifest("datamodels-9")
