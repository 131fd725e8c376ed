"""Images of any size: what rt-cut or an archive's service cut out of the frame goes through every image tool."""

import numpy as np
import pytest

from rtools.products.io import open_product
from tests.support.runs import arrays, done, meta, tool
from tests.support.share import some_long

X, Y, NX, NY = 30, 41, 190, 165
SECTION = f"{X}:{X + NX},{Y}:{Y + NY}"


def part(array):
    """What a cutout has of an image of the whole."""
    return array[Y : Y + NY, X : X + NX]


@pytest.fixture(scope="module")
def cutout(ran, raw, tmp_path_factory):
    """``cutout(suffix)``: what rt-cut makes of a product."""
    made, directory = {}, tmp_path_factory.mktemp("cutouts")

    def cut(suffix):
        if suffix not in made:
            source = raw if suffix == "uncal" else ran / raw.name.replace("_uncal", f"_{suffix}")
            made[suffix] = directory / source.name
            done("cut", source, "--section", SECTION, "--outdir", directory)
        return made[suffix]

    return cut


def served(source, target, *, keep_wcs=True, beside=0.0):
    """What a cutout service makes: 2-D arrays cut, shifts put before the WCS, nothing else changed."""
    from astropy.modeling.models import Shift

    with open_product(source) as found:
        wcs = found.node("meta.wcs")
        kind, kept = found.kind, {"profile": found.profile, "history": found.history}
        about, planes = found.meta, {name: np.array(found.array(name)) for name in found.arrays}
    moved = wcs.__class__(wcs.pipeline)
    moved.insert_transform("detector", Shift(X + beside) & Shift(Y), after=True)
    moved.bounding_box = ((0, NX - 1), (0, NY - 1))
    about["wcs"] = moved if keep_wcs else None
    planes = {name: part(plane).copy() if plane.ndim == 2 else plane for name, plane in planes.items()}
    from rtools.products.io import writer

    writer.write_product(target, kind, about, planes, **kept)
    return target


def sky(path, x, y):
    """Right ascension and declination that a file's WCS gives."""
    with open_product(path) as found:
        return np.array(found.node("meta.wcs")(np.asarray(x, float), np.asarray(y, float)))


@pytest.mark.parametrize(("tool_name", "before"), [("flat", "photom"), ("dark", "rampfit")])
@pytest.mark.parametrize("source", some_long(["built in", "files"], 1))
def test_references_of_the_frame_are_cut_as_the_image_was(tool_name, before, source, request, cutout, tmp_path):
    words = ("--refdir", request.getfixturevalue("references")) if source == "files" else ()
    done(tool_name, request.getfixturevalue("product")(before), "-o", tmp_path / "whole.asdf", *words)
    done(tool_name, cutout(before), "-o", tmp_path / "part.asdf", *words)
    one, two = arrays(tmp_path / "whole.asdf", "data", "err", "dq"), arrays(tmp_path / "part.asdf", "data", "err", "dq")
    for name, plane in one.items():
        assert part(plane).tobytes() == two[name].tobytes(), name


def test_a_cutout_gets_the_world_coordinates_of_its_place(product, cutout, tmp_path):
    done("assignwcs", cutout("darkcurrent"), "-o", tmp_path / "part.asdf")
    x, y = np.array([0, 10, NX - 1]), np.array([3, 100, NY - 1])
    offset = sky(tmp_path / "part.asdf", x, y) - sky(product("cal"), x + X, y + Y)
    assert np.abs(offset).max() * 3600 < 1e-7
    assert np.isnan(sky(tmp_path / "part.asdf", -3, 5)).all()
    region = np.array(meta(tmp_path / "part.asdf")["wcsinfo"]["s_region"].split()[2:], float).reshape(4, 2)
    corners = sky(product("cal"), [X - 0.5, X + NX - 0.5], [Y - 0.5, Y + NY - 0.5])
    assert region[:, 1].min() >= corners[1].min() - 0.002 / 3600 * NX  # the footprint is no longer that of the frame
    assert np.ptp(region[:, 1]) * 3600 < 0.12 * NY


def test_the_catalog_of_a_cutout_is_the_cutout_of_the_catalog(product, cutout, tmp_path):
    from pyarrow import parquet

    tables = []
    for name, path in (("whole", product("cal")), ("part", cutout("cal"))):
        done("catalog", path, "-o", tmp_path / f"{name}.parquet", "--snr-threshold", 2)
        tables.append(parquet.read_table(tmp_path / f"{name}.parquet"))
    whole, found = ({key: table[key].to_numpy() for key in table.column_names} for table in tables)
    x, y = whole["x_centroid"] - X, whole["y_centroid"] - Y
    away = (x > 25) & (x < NX - 26) & (y > 25) & (y < NY - 26)
    distance = np.hypot(x[away, None] - found["x_centroid"], y[away, None] - found["y_centroid"])
    match = distance.argmin(axis=1)
    assert away.sum() >= 2
    assert distance.min(axis=1).max() < 0.05
    for key in ("aper04_flux", "kron_flux", "segment_flux", "psf_flux", "x_psf", "y_psf"):
        shift = {"x_psf": X, "y_psf": Y}.get(key, 0)
        pull = (whole[key][away] - shift - found[key][match]) / whole[f"{key}_err"][away]
        assert np.abs(pull).max() < 0.15, key  # the median of another area is their background
    assert np.abs(whole["ra_centroid"][away] - found["ra_centroid"][match]).max() < 1e-6


def test_the_psf_of_a_cutout_is_that_of_its_place(cutout, product):
    from rtools.declare import Reference
    from rtools.pipeline.catalog.references import psf_of
    from rtools.reference import find

    about = meta(cutout("cal"))
    source = find.references(about, [Reference("epsf")], find.Config(builtin=True))["epsf"]
    one = psf_of(source, meta(product("cal")), grid=None, log=print)
    two = psf_of(source, about, grid=None, log=print)
    assert (two.x == one.x - X).all()
    assert (two.y == one.y - Y).all()


def test_a_cutout_of_a_service_is_placed_by_its_wcs_and_says_so_afterwards(product, cutout, references, tmp_path):
    path = served(product("photom"), tmp_path / "served_photom.asdf")
    for name, source in (("served", path), ("part", cutout("photom"))):
        done("flat", source, "-o", tmp_path / f"{name}_flat.asdf", "--refdir", references)
    one, two = (arrays(tmp_path / f"{name}_flat.asdf", "data", "dq") for name in ("served", "part"))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    place = meta(tmp_path / "served_flat.asdf")["rtools"]["cutout"]
    assert (place["columns"], place["rows"]) == ([X, X + NX], [Y, Y + NY])
    assert "cutout" not in meta(path).get("rtools", {})
    done("assignwcs", path, "-o", tmp_path / "again.asdf")
    x, y = [0, NX - 1], [3, NY - 1]
    assert np.abs(sky(tmp_path / "again.asdf", x, y) - sky(path, x, y)).max() * 3600 < 1e-6


def test_a_cutout_whose_place_nothing_tells_is_refused_and_says_what_is_missing(product, references, tmp_path, capsys):
    lost = served(product("photom"), tmp_path / "lost_photom.asdf", keep_wcs=False)
    assert tool("flat", lost, "--refdir", references, "-o", tmp_path / "x.asdf", "-q") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"rt-flat: {lost}: not known where in the frame this image of {NX} x {NY} pixels lies")
    assert "meta.rtools.cutout" in line
    assert not (tmp_path / "x.asdf").exists()


def test_a_cutout_whose_wcs_is_none_of_this_frame_gets_no_reference_of_it(product, tmp_path, capsys):
    odd = served(product("photom"), tmp_path / "odd_photom.asdf", beside=0.5)
    for name, *more in (("flat",), ("assignwcs",), ("run", "--skip", "catalog")):
        assert tool(name, odd, *more, "--outdir", tmp_path / "o", "-q") == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"rt-{name}: {odd}: not known where in the frame this image lies")
    assert not (tmp_path / "o").exists()
    done("photom", odd, "-o", tmp_path / "x.asdf")


def test_a_cutout_of_a_ramp_is_not_calibrated(cutout, tmp_path, capsys):
    for name, suffix in (("run", "uncal"), ("rampfit", "linearity")):
        assert tool(name, cutout(suffix), "--outdir", tmp_path / "o", "-q") == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert "calibrate the whole, and cut the image" in line
    done("cut", cutout("uncal"), "--section", "0:128,:", "-o", tmp_path / "channel_uncal.asdf")
    assert tool("run", tmp_path / "channel_uncal.asdf", "--outdir", tmp_path / "o", "-q") == 3
    assert not (tmp_path / "o").exists()


def test_the_rest_of_the_chain_runs_on_a_cutout(cutout, tmp_path):
    done("run", cutout("photom"), "--outdir", tmp_path)
    path = tmp_path / cutout("photom").name.replace("_photom", "_cal")
    with open_product(path) as found:
        assert found.arrays["data"].shape == (NY, NX)
        assert found.meta["cal_step"]["flat_field"] == found.meta["cal_step"]["source_catalog"] == "COMPLETE"
    assert tool("validate", path, "-q") == 0


def test_a_cutout_is_aligned(cutout, product, tmp_path):
    done("catalog", product("cal"), "-o", tmp_path / "x_cat.parquet", "--snr-threshold", 1.5)
    stars = tmp_path / "stars.parquet"
    done("refcat", "make", tmp_path / "x_cat.parquet", "-o", stars)
    done("catalog", cutout("cal"), "-o", tmp_path / "y_cat.parquet", "--snr-threshold", 1.5)
    words = ("--refcat", stars, "--catalog", tmp_path / "y_cat.parquet", "--outdir", tmp_path)
    assert tool("tweakreg", cutout("cal"), *words, "-q") in (0, 5)


def test_cutouts_become_a_mosaic(cutout, product, tmp_path):
    names = [cutout("cal"), product("cal")]
    for name in ("flux", "skymatch", "outlier"):
        done(name, cutout("cal"), "--outdir", tmp_path / name)
    done("run", *names, "--mosaic", "--skip", "catalog", "-o", tmp_path / "x_coadd.asdf")
    done("resample", cutout("cal"), "-o", tmp_path / "y_coadd.asdf")
    done("cut", tmp_path / "x_coadd.asdf", "--section", "50:170,60:190", "-o", tmp_path / "z_coadd.asdf")
    done("catalog", tmp_path / "z_coadd.asdf")
    assert max(arrays(tmp_path / "x_coadd.asdf", "data")["data"].shape) >= 248


@pytest.mark.parametrize("section", some_long(["100:108,60:66", "100:101,60:61", "0:122,0:3", "120:248,0:248"], 1))
def test_images_of_a_few_pixels_go_through_every_image_tool(section, product, tmp_path):
    path = tmp_path / "x_photom.asdf"
    done("cut", product("photom"), "--section", section, "-o", path)
    done("flat", path, "-o", tmp_path / "x_flat.asdf")
    done("assignwcs", tmp_path / "x_flat.asdf", "-o", tmp_path / "x_cal.asdf")
    done("photom", tmp_path / "x_cal.asdf", "-o", tmp_path / "x.asdf")
    done("catalog", tmp_path / "x_cal.asdf", "--outdir", tmp_path)
    done("flux", tmp_path / "x_cal.asdf", "--outdir", tmp_path)
    planes = arrays(tmp_path / "x_flat.asdf", "data", "dq")
    assert planes["data"].shape == planes["dq"].shape
