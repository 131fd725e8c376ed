"""rt-point: the attitude chain against known answers, engineering tables, what is written, tables that are printed."""

import json

import numpy as np
import pytest

from rtools.astrometry import pointing, quaternions
from rtools.astrometry.aberration import spacecraft_velocity
from rtools.astrometry.wcs import Pointing, build_wcs, footprint
from rtools.errors import InputError, UsageError
from rtools.products.tables import engineering
from rtools.products.tables.files import stage_catalog
from rtools.wfi import siaf
from rtools.wfi.distortion import distortion
from rtools.wfi.metadata import exposure_mjd
from rtools.wfi.sphere import s_region
from tests.support.runs import history, meta, same, simulate, tool

QUATERNION = (-0.33879082, 0.62326573, -0.36611627, 0.60226181)
GUIDE_STAR = (916.4728835141, -186.8939737044)
VELOCITY = (-5.473753741352352, -27.480586797035414, -11.875972151015253)
E2V = [
    [-0.0449889649, -0.8633033525, -0.5026757391],
    [0.0186829884, 0.5023703148, -0.8644505855],
    [0.9988125565, -0.0482824035, -0.0064719271],
]
"""Known answer for WFI01_FULL; the quaternion is used as it is, of norm 1 + 1e-7."""

WORDS = ("--quaternion", *QUATERNION, "--guide-star", *GUIDE_STAR)


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("exposure"), reads="1;2;3")


@pytest.fixture(scope="module")
def of_detector(exposure, tmp_path_factory):
    """An exposure whose aperture is WFI01_FULL."""
    target = tmp_path_factory.mktemp("detector") / "x_uncal.asdf"
    assert tool("set", exposure, "wcsinfo.aperture_name=WFI01_FULL", "-o", target, "-q") == 0
    return target


def engineering_table(path, start, end, *, count=7, quaternion=QUATERNION, fgs=None, extension=0.0):
    """An ECSV table of attitudes; the second half has the opposite sign, as a star tracker may give it."""
    from astropy.table import Table
    from astropy.time import Time

    mjd = np.linspace(start - extension, end + extension, count)
    signs = np.where(np.arange(count) < count / 2, 1, -1)[:, None]
    table = Table({"time": Time(mjd, format="mjd").isot})
    for names, values in ((engineering.BODY, quaternion), (engineering.FGS, fgs)):
        for name, column in zip(names, (signs * np.asarray(values)).T if values is not None else (), strict=False):
            table[name] = column
    table.write(path, format="ascii.ecsv")
    return path


# -- the chain --------------------------------------------------------------------------------------------------------


def test_the_guide_star_has_the_known_place():
    found = pointing.guide_star_position(siaf.aperture("WFI01_FULL"), "WFI01", GUIDE_STAR)
    np.testing.assert_allclose(found, (346.06680318732685, -148.7528870949794), rtol=0, atol=1e-9)


def test_the_chain_has_the_known_answer():
    place = pointing.guide_star_position(siaf.aperture("WFI01_FULL"), "WFI01", GUIDE_STAR)
    e2v = pointing.eci_to_v(QUATERNION, place, velocity=np.array(VELOCITY))
    np.testing.assert_allclose(e2v, E2V, rtol=0, atol=3e-10)
    v1 = pointing.v1_of(e2v)
    assert v1.ra == pytest.approx(267.0168676146806, abs=2e-7)
    assert np.rad2deg(np.arcsin(e2v[0, 2])) == pytest.approx(-30.177183927606528, abs=2e-7)
    assert v1.roll == pytest.approx(90.4289479321644, abs=2e-7)
    there = siaf.aperture("WFI01_FULL")
    reference = pointing.place_of(e2v, there.v2_ref, there.v3_ref)
    assert reference.ra == pytest.approx(266.67803540698276, abs=2e-7)
    assert reference.roll == pytest.approx(90.60111674247034, abs=2e-7)


def test_of_a_quaternion_made_one_of_norm_1_the_matrix_is_a_rotation():
    found = pointing.solve(QUATERNION, "WFI01_FULL", "WFI01", guide_star=GUIDE_STAR, velocity=np.array(VELOCITY))
    np.testing.assert_allclose(found.e2v @ found.e2v.T, np.eye(3), rtol=0, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(found.quaternion), 1, rtol=0, atol=1e-15)
    assert found.reference.dec == pytest.approx(-30.53927896286344, abs=2e-5)  # 1e-7 in the norm
    assert found.reference.ra == pytest.approx(266.67803540698276, abs=2e-5)


def test_without_velocity_the_body_is_the_telescope():
    found = pointing.solve(QUATERNION, "WFI_CEN", "WFI01", guide_star=GUIDE_STAR)
    np.testing.assert_allclose(found.e2v, quaternions.matrix(found.quaternion), rtol=0, atol=1e-14)


def test_the_guide_star_is_turned_from_where_it_appears_to_where_it_is():
    from rtools.astrometry.aberration import apparent

    velocity = np.array(VELOCITY)
    e2v = pointing.solve(QUATERNION, "WFI_CEN", "WFI01", velocity=velocity).e2v
    still = pointing.solve(QUATERNION, "WFI_CEN", "WFI01").e2v
    line_of_sight = quaternions.matrix(pointing.BODY_TO_FGS)[2]
    true, seen = e2v.T @ line_of_sight, still.T @ line_of_sight
    np.testing.assert_allclose(apparent(true, velocity)[0], seen, rtol=0, atol=1e-12)
    beta = velocity / 299792.458
    across = np.linalg.norm(np.cross(true, beta))
    assert np.linalg.norm(np.cross(true, seen)) == pytest.approx(across, rel=1e-3)


def test_a_velocity_along_the_line_of_sight_changes_nothing():
    still = pointing.solve(QUATERNION, "WFI_CEN", "WFI01").e2v
    along = 30 * (still.T @ quaternions.matrix(pointing.BODY_TO_FGS)[2])
    moving = pointing.solve(QUATERNION, "WFI_CEN", "WFI01", velocity=along).e2v
    assert np.all(np.isfinite(moving))
    np.testing.assert_allclose(moving, still, rtol=0, atol=1e-9)


@pytest.mark.parametrize("quaternion", [(0, 0, 0, 2), (0, 0, 0, 0), (np.nan, 0, 0, 1)])
def test_what_is_no_attitude_is_refused(quaternion):
    with pytest.raises(UsageError, match="not an attitude"):
        pointing.solve(quaternion, "WFI_CEN", "WFI01")


def test_quaternions_have_a_mean_whatever_their_signs():
    about = np.array([[0.001 * n, 0, 0, 1.0] for n in (-2, -1, 0, 1, 2)])
    about /= np.linalg.norm(about, axis=1)[:, None]
    about[1::2] *= -1
    np.testing.assert_allclose(np.abs(quaternions.mean_quaternion(about)), (0, 0, 0, 1), rtol=0, atol=1e-15)
    with pytest.raises(InputError, match="differ too much"):
        quaternions.mean_quaternion([(0, 0, 0, 1), (0, 0, 1, 0)])


# -- apertures --------------------------------------------------------------------------------------------------------


def test_corners_are_those_of_the_siaf():
    # pysiaf 0.29, WFI01_FULL, corners("tel"), in the order of s_region; its V2, V3 are not taken as a plane
    v2, v3 = siaf.corners("WFI01")
    np.testing.assert_allclose(v2, (1617.05047824, 1233.58155886, 1006.565839, 1390.90858906), rtol=0, atol=1e-6)
    np.testing.assert_allclose(v3, (-955.68384644, -734.52891118, -1125.52991697, -1344.42449971), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["WFI_CEN", "CGI_CEN", "WFI07_FULL"])
def test_ideal_coordinates_are_turned_about_the_place_of_the_aperture(name):
    there = siaf.aperture(name)
    ideal = np.array([0.0, 100.0, -30.0]), np.array([0.0, 5.0, 70.0])
    angle = np.radians(there.v3_ideal_y_angle)
    x, y = there.parity * ideal[0], ideal[1]
    v2 = there.v2_ref + x * np.cos(angle) + y * np.sin(angle)
    v3 = there.v3_ref - x * np.sin(angle) + y * np.cos(angle)
    np.testing.assert_allclose(siaf.v2v3_to_ideal(there, v2, v3), ideal, rtol=0, atol=1e-9)
    assert siaf.aperture("WFI_07_FULL") == siaf.aperture("WFI07_FULL")


def test_apertures_are_those_of_pysiaf():
    pysiaf = pytest.importorskip("pysiaf", reason="a check by pysiaf, which is 75 MB and no part of the test tools")
    theirs = pysiaf.Siaf("Roman")
    for name in [*(f"WFI{number:02d}_FULL" for number in range(1, 19)), *siaf.POINTS]:
        ours, other = siaf.aperture(name), theirs[name]
        assert ours[1:5] == pytest.approx((other.V2Ref, other.V3Ref, other.V3IdlYAngle, other.VIdlParity), abs=1e-9)
        if ours.detector:
            x, y = np.array([0.0, 4087.0, 1000.0]), np.array([0.0, 4087.0, 3000.0])
            found = siaf.pixel_to_v2v3(ours.detector, x, y)
            np.testing.assert_allclose(found, other.sci_to_tel(x + 1, y + 1), rtol=0, atol=1e-6)


# -- the tool ---------------------------------------------------------------------------------------------------------


def test_what_is_written_is_what_the_wcs_is_made_of(of_detector, tmp_path, capsys):
    target = tmp_path / "y_uncal.asdf"
    assert tool("point", of_detector, *WORDS, "-o", target) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{target}\n"
    assert "rt-aberration sets it" in captured.err
    told = meta(target)
    wcsinfo, block = told["wcsinfo"], told["pointing"]
    assert (wcsinfo["v2_ref"], wcsinfo["v3_ref"]) == siaf.aperture("WFI01_FULL")[1:3]
    assert (wcsinfo["v3yangle"], wcsinfo["vparity"]) == (-60, -1)
    assert block["pa_aperture"] == pytest.approx(wcsinfo["roll_ref"] - 60)
    assert block["pointing_engineering_source"] == "PLANNED"
    assert told["guide_star"]["hv_position"] == list(GUIDE_STAR)
    assert np.linalg.norm(block["quaternion"]) == pytest.approx(1, abs=1e-15)
    wcs = build_wcs(distortion("WFI01"), Pointing(*(wcsinfo[key] for key in Pointing._fields)), 1.0, (4088, 4088))
    mine, made = (np.array(text.split()[2:], float) for text in (wcsinfo["s_region"], s_region(footprint(wcs))))
    np.testing.assert_allclose(mine, made, rtol=0, atol=2e-9)
    target_place = wcs.pipeline[2].transform(*siaf.aperture("WFI_CEN")[1:3])
    assert (block["target_ra"], block["target_dec"]) == pytest.approx(target_place, abs=1e-9)
    v1 = wcs.pipeline[2].transform(0.0, 0.0)
    assert (block["ra_v1"], block["dec_v1"]) == pytest.approx(v1, abs=1e-9)
    assert all(same(of_detector, target).values())
    entry = history(target)[-1]
    assert entry["tool"] == "rt-point"
    assert entry["parameters"]["meta.wcsinfo.ra_ref"] == wcsinfo["ra_ref"]


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_roman_datamodels_validates_the_result(of_detector, tmp_path, judge, version):
    target = tmp_path / "y_uncal.asdf"
    assert tool("point", of_detector, *WORDS, "-o", target, "-q") == 0
    assert judge(version, [target])[str(target)]["ok"]


def test_telemetry_is_averaged_and_normalised(of_detector, tmp_path):
    start, end = exposure_mjd(meta(of_detector))
    table = engineering_table(tmp_path / "eng.ecsv", start, end, fgs=pointing.BODY_TO_FGS)
    given, measured = tmp_path / "given_uncal.asdf", tmp_path / "measured_uncal.asdf"
    assert tool("point", of_detector, *WORDS, "-o", given, "-q") == 0
    guide_star = ("--guide-star", *GUIDE_STAR)
    assert tool("point", of_detector, "--engineering", table, *guide_star, "-o", measured, "-q") == 0
    one, two = meta(given), meta(measured)
    assert two["pointing"]["pointing_engineering_source"] == "CALCULATED"
    assert two["wcsinfo"]["ra_ref"] == pytest.approx(one["wcsinfo"]["ra_ref"], abs=1e-11)
    assert two["pointing"]["pa_v3"] == pytest.approx(one["pointing"]["pa_v3"], abs=1e-11)


def test_neighbours_serve_where_an_exposure_has_no_sample_and_only_within_tolerance(of_detector, tmp_path, capsys):
    start, end = exposure_mjd(meta(of_detector))
    table = engineering_table(tmp_path / "eng.ecsv", start, end, count=2, extension=20 / 86400)
    line = ("point", of_detector, "--engineering", table, "--in-place", "-n")
    assert tool(*line) == 0
    assert "CALCULATED" in capsys.readouterr().out
    assert tool(*line, "--tolerance", 10) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no attitude during the exposure" in captured.err
    assert tool(*line, "--tolerance", 10, "--allow-default", *WORDS) == 0
    assert "PLANNED" in capsys.readouterr().out


def test_samples_that_say_nothing_are_left_out(tmp_path):
    text = ["time," + ",".join(engineering.BODY)]
    rows = ["0,0,0,0", "0,0,,1", "0.1,0,0,0.99498743710662", "0,0,0,1", "-999999,-999999,-999999,-999999"]
    text += [f"2027-01-01T00:00:{10 - n:02d}Z,{row}" for n, row in enumerate(rows)]
    path = tmp_path / "eng.csv"
    path.write_text("\n".join(text))
    body, fgs = engineering.read_attitudes(path)
    assert len(fgs.mjd) == 0
    np.testing.assert_allclose((body.mjd - 61406) * 86400, (7, 8), rtol=0, atol=1e-5)
    np.testing.assert_allclose(body.quaternion[0], (0, 0, 0, 1))


@pytest.mark.parametrize(
    ("extension", "form"),
    [
        *((extension, form) for extension in ("ecsv", "fits") for form in ("object", "isot", "mjd")),
        ("parquet", "isot"),
        ("parquet", "mjd"),
    ],
)
def test_times_of_any_form_are_read(extension, form, tmp_path):
    from astropy.table import Table
    from astropy.time import Time

    when = Time(61406 + np.arange(3) / 100, format="mjd")
    table = Table({"time": when if form == "object" else getattr(when, form)})
    for name, value in zip(engineering.BODY, (0.0, 0.0, 0.0, 1.0), strict=True):
        table[name] = value
    path = tmp_path / f"eng.{extension}"
    if extension == "parquet":
        stage_catalog(path, table, "parquet").commit()
    else:
        table.write(path)
    found = engineering.read_attitudes(path)[0]
    np.testing.assert_allclose(found.mjd, when.mjd, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time,a\n2027-01-01,1\n", "has no column SCF_AC_SDR_QBJ_1"),
        ("when," + ",".join(engineering.BODY) + "\n1,0,0,0,1\n", "has no column of times"),
        ("time," + ",".join(engineering.BODY) + "\nmonday,0,0,0,1\n", "times that are not valid"),
        ("time," + ",".join(engineering.BODY) + "\n12,0,0,0,1\n", "not a Modified Julian Date"),
        ("time," + ",".join(engineering.BODY) + "\n61406.0,x,0,0,1\n", "hold text"),
    ],
)
def test_tables_that_are_none_are_refused(text, says, exposure, tmp_path, capsys):
    path = tmp_path / "eng.csv"
    path.write_text(text)
    assert tool("point", exposure, "--engineering", path, "--in-place") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"rt-point: {path}: ")
    assert says in line


def test_the_default_is_the_attitude_of_the_file_and_only_when_asked_for(exposure, tmp_path, capsys):
    assert tool("point", exposure, "--in-place") == 2
    assert "no attitude; give --quaternion" in capsys.readouterr().err
    assert tool("point", exposure, "--allow-default", "--in-place") == 2
    assert "the file has no pointing.quaternion" in capsys.readouterr().err
    first, second = tmp_path / "a_uncal.asdf", tmp_path / "b_uncal.asdf"
    assert tool("point", exposure, *WORDS, "-o", first, "-q") == 0
    assert tool("point", first, "--allow-default", "-o", second, "-q") == 0
    one, two = meta(first), meta(second)
    assert one["wcsinfo"] == two["wcsinfo"]
    assert one["pointing"] == two["pointing"]


def test_in_place_is_atomic_and_only_when_asked_for(exposure, tmp_path, capsys):
    path = tmp_path / "x_uncal.asdf"
    path.write_bytes(exposure.read_bytes())
    assert tool("point", path, *WORDS) == 2
    assert "where shall the result go" in capsys.readouterr().err
    assert tool("point", path, *WORDS, "-o", path) == 2
    assert path.read_bytes() == exposure.read_bytes()
    assert tool("point", path, *WORDS, "--in-place", "-q") == 0
    assert meta(path)["guide_star"]["hv_position"] == list(GUIDE_STAR)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("words", "said"), [((), True), (("--fgs-quaternion", 0, 0, 0.0012, 0.99999928), False)], ids=["launch", "given"]
)
def test_it_says_that_the_boresight_alignment_is_not_applied(of_detector, words, said, tmp_path, capsys):
    path = tmp_path / "x_uncal.asdf"
    assert tool("set", of_detector, "ref_file.bam=crds://roman_wfi_bam_0001.asdf", "-o", path, "-q", "--new") == 0
    capsys.readouterr()
    assert tool("point", path, "-o", tmp_path / "y_uncal.asdf", *WORDS, *words) == 0
    assert ("roman_wfi_bam_0001.asdf is not applied" in capsys.readouterr().err) == said


def test_an_aperture_that_is_none_is_refused(exposure, tmp_path, capsys):
    path = tmp_path / "x_uncal.asdf"
    assert tool("set", exposure, "pointing.target_aperture=NOWHERE", "-o", path) == 0
    assert tool("point", path, *WORDS, "-o", tmp_path / "y_uncal.asdf") == 0
    assert "target aperture 'NOWHERE' is not known" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no aperture is called"):
        siaf.aperture("NOWHERE")


# -- tables -----------------------------------------------------------------------------------------------------------


def test_the_summary_says_what_the_files_say(exposure, of_detector, capsys):
    assert tool("point", "--summary", exposure, of_detector, "--json") == 0
    one, two = map(json.loads, capsys.readouterr().out.splitlines())
    told = meta(exposure)
    assert one["ra_v1"] == told["pointing"]["ra_v1"]
    assert one["ra_ref"] == told["wcsinfo"]["ra_ref"]
    assert one["target_to_ref"] == pytest.approx(0, abs=1e-9)
    arm = np.hypot(*siaf.aperture("WFI_CEN")[1:3]) / 3600
    assert one["v1_to_ref"] == pytest.approx(arm, rel=1e-4)
    assert (one["aperture"], two["aperture"]) == ("WFI_CEN", "WFI01_FULL")


def test_v1_is_calculated_where_an_attitude_is_given(of_detector, tmp_path, capsys):
    assert tool("point", "--v1", of_detector, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ra"] == meta(of_detector)["pointing"]["ra_v1"]
    target = tmp_path / "v1.ecsv"
    assert tool("point", "--v1", of_detector, *WORDS, "-o", target) == 0
    assert capsys.readouterr().out == f"{target}\n"
    from astropy.table import Table

    row = Table.read(target)[0]
    block = meta(of_detector)["ephemeris"]
    velocity = np.array([block[f"velocity_{axis}"] for axis in "xyz"])
    there = pointing.solve(QUATERNION, "WFI01_FULL", "WFI01", guide_star=GUIDE_STAR, velocity=velocity).v1
    assert (row["ra"], row["dec"], row["pa_v3"]) == pytest.approx(there, abs=1e-12)
    assert tool("point", "--v1", of_detector, "-o", target) == 1
    assert "exists already" in capsys.readouterr().err


def test_v1_of_telemetry_between_two_times(tmp_path, capsys):
    table = engineering_table(tmp_path / "eng.ecsv", 61406.0, 61406.01, count=5)
    times = ("--between", "2027-01-01T00:00:00", "2027-01-01T00:15:00")
    assert tool("point", "--v1", "--engineering", table, *times, "--samples", "all", "--json") == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [row["obstime"] for row in rows][:2] == ["2027-01-01T00:00:00.000", "2027-01-01T00:03:36.000"]
    assert len(rows) == 5
    expected = pointing.solve(QUATERNION, "WFI02_FULL", "WFI02", velocity=spacecraft_velocity(61406.0)).v1
    assert (rows[0]["ra"], rows[0]["dec"]) == pytest.approx(expected[:2], abs=1e-9)
    assert tool("point", "--v1", "--engineering", table, *times) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    late = ("--between", "2028-01-01T00:00:00", "2028-01-01T00:15:00")
    assert tool("point", "--v1", "--engineering", table, *late) == 3


@pytest.mark.parametrize(
    "words",
    [
        ("--summary", "--v1"),
        ("--summary", "--in-place"),
        ("--v1", "--outdir", "x"),
        ("--json", "-o", "-"),
        ("--between", "2027-01-01", "2027-01-02"),
        ("--quaternion", "0", "0", "1"),
        ("--in-place", "--quaternion", "0", "0", "0", "7"),
    ],
)
def test_what_does_not_go_together_is_refused(exposure, words, capsys):
    assert tool("point", *words, exposure) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
