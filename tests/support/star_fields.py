"""What the tests of rt-catalog and rt-tweakreg share: exposures of known stars, catalogs read back, star lists."""

import json

import numpy as np
import pytest
from astropy.table import Table

from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.products.io import open_product
from rtools.products.tables.files import read_catalog
from rtools.wfi.distortion import distortion
from rtools.wfi.instrument import WFI_CEN
from tests.support.runs import READS, done, meta, statuses, tool

SIZE = 512

SHIFT = (0.5, -0.3)
"""By which reference stars are off, arcsec east and north."""

MAS = 3.6e6
"""Milliarcseconds in a degree."""

TABLE = """
label i4; flagged_spatial_id i8; x_centroid y_centroid x_centroid_err y_centroid_err f4 pix;
x_centroid_win y_centroid_win x_centroid_win_err y_centroid_win_err f4 pix; *x_psf x_psf_err y_psf y_psf_err f4 pix;
ra dec ra_centroid dec_centroid f8 deg; ra_centroid_err dec_centroid_err f4 arcsec;
ra_centroid_win dec_centroid_win f8 deg; ra_centroid_win_err dec_centroid_win_err f4 arcsec;
*ra_psf dec_psf f8 deg; *ra_psf_err dec_psf_err f4 arcsec; bbox_xmin bbox_xmax bbox_ymin bbox_ymax i4;
segment_area f4 arcsec2; semimajor semiminor fwhm f4 arcsec; ellipticity f4; orientation_pix orientation_sky f4 deg;
cxx cxy cyy f4 1/arcsec2; kron_radius f4 arcsec; nn_label i4; nn_distance f4 arcsec; sharpness roundness1 f4;
is_extended b1; fluxfrac_radius_50 f4 arcsec; aper_bkg_flux aper_bkg_flux_err f4 nJy/arcsec2;
aper01_flux aper01_flux_err aper02_flux aper02_flux_err aper04_flux aper04_flux_err f4 nJy;
aper08_flux aper08_flux_err aper16_flux aper16_flux_err f4 nJy; *psf_flux psf_flux_err f4 nJy;
segment_flux segment_flux_err kron_flux kron_flux_err f4 nJy; kron_abmag kron_abmag_err f4 mag(AB);
warning_flags image_flags i4; *psf_flags i4; *psf_gof f4; dust_ebv f4
"""
"""The published table of columns: names, dtype, unit; a star where only PSF photometry has them."""

POINTING = Pointing(*WFI_CEN, 270.0, 66.0, 60.0)
"""Where rt-sim points when nothing is said."""


def true_wcs(pointing=POINTING, detector="WFI01", size=SIZE):
    """WCS of a simulated exposure of `size` pixels."""
    return build_wcs(distortion(detector), pointing, 1.0, (size - 8, size - 8))


def star_table(x, y, magnitude, wcs=None):
    """Stars at pixels of an exposure, as rt-sim takes them."""
    ra, dec = (wcs or true_wcs())(x, y)
    return Table({"ra": ra, "dec": dec, "magnitude": np.broadcast_to(magnitude, np.shape(x)), "x": x, "y": y})


def scattered(count, *, seed=1, bright=18.5, faint=20.5, margin=30):
    """Pixels and magnitudes of stars far from each other and from the border."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    pitch = (SIZE - 8 - 2 * margin) / side
    x, y = (margin + pitch * (0.5 + each.ravel()) for each in np.meshgrid(np.arange(side), np.arange(side)))
    chosen = rng.permutation(side**2)[:count]
    x, y = (each[chosen] + rng.uniform(-0.25, 0.25, count) * pitch for each in (x, y))
    return x, y, rng.uniform(bright, faint, count)


def observe(directory, stars, *, number=1, detector="wfi01", options=()):
    """Simulate an exposure of stars alone; its path."""
    directory.mkdir(exist_ok=True)
    listed = directory / f"stars_{number}_{detector}.ecsv"
    stars.write(listed, overwrite=True)
    name = f"r0000101001001001001_{number:04d}_{detector}_f158_uncal.asdf"
    settings = ("--size", SIZE, "--read-pattern", READS, "--no-truth", "--reference-read", "--no-cosmic-rays")
    done("sim", name, "--outdir", directory, "--sources", listed, *settings, *options)
    return directory / name


def sibling(path, end):
    """Path of another product of the same exposure: ``sibling(cal, "cat.parquet")``."""
    return path.with_name(f"{path.stem.rpartition('_')[0]}_{end}")


@pytest.fixture(scope="session")
def star_field():
    """Bright stars, a close pair, one cut by the border, and faint ones (from row 28 on)."""
    x, y, magnitude = scattered(25)
    faint = scattered(25, seed=2, bright=23.2, faint=23.6)
    clear = [i for i in range(25) if np.hypot(faint[0][i] - x, faint[1][i] - y).min() > 20]
    magnitude[np.hypot(x - 256, y - 251) < 30] = 30.0  # leaves the pair alone
    special = np.array([(253.0, 251.6, 19.0), (259.2, 251.0, 19.3), (1.0, 250.0, 19.0)])
    columns = zip((x, y, magnitude), special.T, [each[clear] for each in faint], strict=True)
    return star_table(*(np.concatenate(parts) for parts in columns))


@pytest.fixture(scope="session")
def imaged(star_field, tmp_path_factory):
    """`_cal` of a whole run on `star_field`, with the products of all steps beside it."""
    uncal = observe(tmp_path_factory.mktemp("imaged"), star_field)
    done("run", uncal, "--save-steps", "-j", 2)
    return sibling(uncal, "cal.asdf")


@pytest.fixture(scope="session")
def imaged_again(star_field, tmp_path_factory):
    """`_cal` of another exposure of the same sky; no catalog."""
    uncal = observe(tmp_path_factory.mktemp("again"), star_field, number=2)
    done("run", uncal, "--skip", "catalog", "--skip", "tweakreg", "--save-steps")
    return sibling(uncal, "cal.asdf")


def published(*, psf=True):
    """Name to (dtype, unit as the file has it), in order."""
    found = {}
    for entry in TABLE.split(";"):
        *names, dtype, unit = [*entry.split(), ""] if entry.split()[-1][1:].isdigit() else entry.split()
        if entry.strip().startswith("*") and not psf:
            continue
        for name in names:
            found[name.lstrip("*")] = (np.dtype(dtype), unit.replace("/", " / ", 1) or "None")
    return {name: (dtype, unit.lstrip()) for name, (dtype, unit) in found.items()}


def names_in(directory):
    """Names of the files in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


def catalog_of(path, *options):
    """The catalog that rt-catalog makes of an image."""
    done("catalog", path, *options)
    return read_catalog(sibling(path, "cat.parquet"))


def bits(path):
    """Bytes of every column of a catalog."""
    table = read_catalog(path)
    return {name: np.asarray(table[name]).tobytes() for name in table.colnames}


def nearest(table, x, y, columns=("x_psf", "y_psf")):
    """Row of a catalog nearest to each position, and its distance in pixels."""
    own = np.stack([np.asarray(table[name], float) for name in columns])
    own[~np.isfinite(own)] = 1e9
    distance = np.hypot(own[0] - np.reshape(x, (-1, 1)), own[1] - np.reshape(y, (-1, 1)))
    return distance.argmin(axis=1), distance.min(axis=1)


def reference_stars(path, stars, *, shift=(0.0, 0.0), error=0.1):
    """Write stars as a reference catalog, all moved by arcsec east and north; its path."""
    dec = np.asarray(stars["dec"], float)
    table = Table({"source_id": np.arange(len(stars)) + 1000})
    table["ra"] = np.asarray(stars["ra"], float) + shift[0] / 3600 / np.cos(np.deg2rad(dec))
    table["dec"] = dec + shift[1] / 3600
    for name in ("pmra", "pmdec", "parallax"):
        table[name] = np.zeros(len(stars))
        table[f"{name}_error"] = np.full(len(stars), 0.01)
    table["ra_error"], table["dec_error"] = np.full((2, len(stars)), error)
    table["ref_epoch"] = np.full(len(stars), 2027.0)
    table["phot_g_mean_mag"] = np.asarray(stars["magnitude"], float)
    table.write(path, format="ascii.ecsv", overwrite=True)
    return path


def said(capsys, name, *args):
    """Exit status, standard output and error of a tool."""
    capsys.readouterr()
    status = tool(name, *args)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def judged(version, image, catalog, model, tmp_path):
    """What roman_datamodels, astropy and pandas say of a catalog."""
    from tests.support.judges import asked

    found = asked(version, "catalog", image, catalog, model, tmp_path / "theirs.parquet")
    assert "problem" not in found, found["problem"]
    return found


def is_as_the_archives(found, rows, differ=()):
    """Fields and metadata of the file are those that the archive's own software writes; ours says more."""
    assert found["only_theirs"] == []
    assert found["fields"] == []
    ours = ("source_catalog.", "history.", "roman.meta.rtools.job", "roman.meta.exposure.read_pattern.")
    assert {key for key in found["only_ours"] if not key.startswith(ours)} <= {
        "roman.meta.instrument.data_encoding_offset",
        "roman.meta.observation.wfi_parallel",
    }  # that the archive leaves out although the image says them; older versions leave out read patterns, too
    assert {key.removeprefix("roman.meta.") for key in found["differ"]} <= {
        "filename", "file_date", "image.file_date", "image.forced_segmentation", *differ,
    }  # fmt: skip
    assert found["described"] == len(found["units"])
    assert found["rows"] == [rows, rows]


# --- alignment ------------------------------------------------------------------------------------------------------


def wcs_of(path, node="meta.wcs"):
    """A WCS of a product, to be used when the file is closed."""
    with open_product(path) as product:
        return product.node(node)


def apart(one, two, x=(10.0, 250.0, 490.0), y=(490.0, 30.0, 250.0)):
    """Largest distance between two WCSs at some pixels, mas."""
    (ra, dec), (ra0, dec0) = (each(np.array(x), np.array(y)) for each in (one, two))
    return float(np.hypot((ra - ra0) * np.cos(np.deg2rad(dec0)), dec - dec0).max() * MAS)


def moved(shift=SHIFT):
    """The true WCS, moved by arcsec east and north."""
    ra = POINTING.ra_ref + shift[0] / 3600 / np.cos(np.deg2rad(POINTING.dec_ref))
    return true_wcs(POINTING._replace(ra_ref=ra, dec_ref=POINTING.dec_ref + shift[1] / 3600))


@pytest.fixture(scope="session")
def bright(star_field):
    """The stars that a catalog of them would have."""
    return star_field[star_field["magnitude"] < 21]


@pytest.fixture(scope="session")
def gaia(bright, tmp_path_factory):
    """Reference catalog: the stars, all moved by `SHIFT`."""
    return reference_stars(tmp_path_factory.mktemp("refcat") / "stars.ecsv", bright, shift=SHIFT)


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory, bright):
    """Reference catalog of as many other stars in the same field."""
    rng = np.random.default_rng(8)
    other = bright.copy()
    other["ra"], other["dec"] = true_wcs()(*rng.uniform(5, 495, (2, len(bright))))
    return reference_stars(tmp_path_factory.mktemp("refcat") / "wrong.ecsv", other)


def product_of(path):
    """Path of what rt-tweakreg makes of an image."""
    return sibling(path, "tweakregstep.asdf")


def failed(path, cal, reason=""):
    """Check a product whose alignment failed."""
    assert statuses(path)["tweakreg"] == "FAILED"
    results = meta(path)["wcs_fit_results"]
    assert set(results) == {"status", "nmatches", "n_detector"}
    assert results["status"].startswith("FAILED: ")
    assert reason in results["status"]
    assert results["nmatches"] == 0
    assert apart(wcs_of(path), wcs_of(cal)) == 0
    assert meta(path)["wcsinfo"] == meta(cal)["wcsinfo"]


def association(path, *members):
    """Write an association of members as they stand in its file; its path."""
    path.write_text(json.dumps({"products": [{"name": "x", "members": list(members)}]}))
    return path
