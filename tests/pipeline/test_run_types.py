"""rt-run takes every exposure type to `_cal` and `_wcs`, images to `_cat` and `_segm`; what it writes is valid."""

import pytest

from rtools.pipeline.exposure import chain
from tests.support.judges import OPENS, newest_only
from tests.support.runs import STEPS, TYPES, arrays, done, meta, rewrite, statuses
from tests.support.share import some_long

PROFILES = ("1.5.0", "2.0.0", "2.1.0", "2.2.0")
FLOATS = {"1.5.0": "float32", "2.0.0": "float16", "2.1.0": "float16", "2.2.0": "float16"}


def of_type(raw, directory, kind):
    """A copy of a raw exposure that says it is of another type."""
    target = directory / raw.name.replace("_0001_", f"_{TYPES.index(kind) + 1:04d}_")
    return rewrite(raw, target, lambda meta, _: meta["exposure"].update(type=kind))


@pytest.fixture(scope="session")
def calibrated(raw, raw18, tmp_path_factory):
    """``calibrated[kind, detector, profile]``: path of a `_cal`."""
    directory = tmp_path_factory.mktemp("types")
    made = {}
    wanted = [(kind, 1, "2.1.0") for kind in TYPES] + [("WFI_IMAGE", 18, profile) for profile in PROFILES]
    for kind, detector, profile in wanted:
        place = directory / profile / str(detector)
        place.mkdir(parents=True, exist_ok=True)
        uncal = of_type(raw if detector == 1 else raw18, place, kind)
        done("run", uncal, "--profile", profile)
        made[kind, detector, profile] = place / uncal.name.replace("_uncal", "_cal")
    return made


def expected(kind, detector):
    """What `meta.cal_step` must say (docs/algorithms/README.md#statuses; steps of other chains are INCOMPLETE)."""
    names = chain.chain_of(kind)
    found = {chain.step_of(name).cal_step: "COMPLETE" for name in STEPS if name in names}
    found |= {chain.step_of(name).cal_step: "SKIPPED" for name in chain.order() if name not in names}
    if kind in ("WFI_IMAGE", "WFI_LOLO"):  # nothing to align to
        found |= {"source_catalog": "COMPLETE", "tweakreg": "SKIPPED"}
    found |= dict.fromkeys(("flux", "outlier_detection", "skymatch"), "INCOMPLETE")
    return found | ({} if detector == 18 else {"wfi18_transient": "N/A"})


@pytest.mark.parametrize("kind", some_long(TYPES, 3))
def test_steps_of_an_exposure_type(calibrated, kind):
    assert statuses(calibrated[kind, 1, "2.1.0"]) == expected(kind, 1)


def test_steps_named_by_the_tables():
    """The tables themselves, not as the program has them."""
    flat = {kind: "flat" in chain.chain_of(kind) for kind in TYPES}
    assert [kind for kind, has in flat.items() if has] == ["WFI_IMAGE", "WFI_LOLO", "WFI_WFSC"]
    assert {chain.chain_of(kind)[:10] for kind in TYPES} == {STEPS[:10]}
    assert STEPS[-3:] == ("assignwcs", "photom", "flat")
    assert (*STEPS, "catalog", "tweakreg") == chain.order()
    assert [kind for kind in TYPES if "tweakreg" in chain.chain_of(kind)] == ["WFI_IMAGE", "WFI_LOLO"]


@pytest.mark.parametrize("profile", PROFILES)
def test_detector_18_has_every_step(calibrated, profile):
    assert statuses(calibrated["WFI_IMAGE", 18, profile]) == expected("WFI_IMAGE", 18)


@pytest.mark.parametrize("profile", PROFILES)
def test_planes_have_the_dtypes_of_the_profile(calibrated, profile):
    found = arrays(calibrated["WFI_IMAGE", 18, profile])
    assert {name: str(found[name].dtype) for name in ("data", "dq", "amp33")} == {
        "data": "float32", "dq": "uint32", "amp33": "uint16",
    }  # fmt: skip
    noise = ["err", "var_poisson", "var_rnoise"] + ["chisq", "dumo"] * (profile != "1.5.0")
    assert {str(found[name].dtype) for name in noise} == {FLOATS[profile]}
    assert ("dq2" in found) == (profile == "2.2.0")
    assert found["data"].shape == (248, 248)
    assert found["amp33"].shape == (6, 256, 128)


@pytest.mark.parametrize("kind", TYPES)
def test_flat_field_divides_only_where_the_type_has_it(calibrated, kind):
    image, spectral = (arrays(calibrated[name, 1, "2.1.0"], "data")["data"] for name in (kind, "WFI_SPECTRAL"))
    assert (image != spectral).any() == (kind in ("WFI_IMAGE", "WFI_LOLO", "WFI_WFSC"))


@pytest.mark.parametrize("version", newest_only(OPENS))
def test_roman_datamodels_opens_and_validates_all(calibrated, drowned, judge, version):
    known = [(path, detector) for (_, detector, profile), path in calibrated.items() if profile in OPENS[version]]
    paths = [path for path, _ in known]
    for product in ("_wcs", "_segm"):
        paths += [path.with_name(path.name.replace("_cal", product)) for path, detector in known if detector == 18]
    more = [drowned[1], drowned[1].with_name("x_wcs.asdf")] if "2.1.0" in OPENS[version] else []
    verdicts = judge(version, [*paths, *more])
    assert {path: verdict.get("problem") for path, verdict in verdicts.items() if not verdict["ok"]} == {}
    assert {verdict["model"] for verdict in verdicts.values()} == {
        "ImageModel", "WfiWcsModel", "SegmentationMapModel",
    }  # fmt: skip
    assert all(len(verdicts[str(path)]["wcs"]) == 2 for path in paths if path.name.endswith("_cal.asdf"))


@pytest.mark.parametrize("kind", TYPES)
def test_only_images_have_a_catalog(calibrated, kind):
    path = calibrated[kind, 1, "2.1.0"]
    made = [path.with_name(path.name.replace("_cal.asdf", end)).exists() for end in ("_cat.parquet", "_segm.asdf")]
    assert made == [kind in ("WFI_IMAGE", "WFI_LOLO")] * 2


@pytest.mark.parametrize("kind", TYPES)
def test_product_says_what_it_is(calibrated, kind):
    path = calibrated[kind, 1, "2.1.0"]
    found = meta(path)
    assert (found["filename"], found["product_type"], found["model_type"]) == (path.name, "l2", "ImageModel")
    assert found["exposure"]["type"] == kind
    assert 0.5 < found["statistics"]["good_pixel_fraction"] <= 1
    assert found["statistics"]["image_rms"] > 0
    assert found["wcsinfo"]["s_region"].startswith("POLYGON ICRS  ")
