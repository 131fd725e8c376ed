"""Steps typed one by one, whole chains and any number of threads give the same bits."""

import numpy as np
import pytest

from tests.support.runs import READS, STEPS, SUFFIXES, arrays, done, history, meta, rewrite, same, simulate, statuses
from tests.support.share import some_long

pytestmark = pytest.mark.slow

EXACT = ("data", "dq")
NOISE = ("err", "var_poisson", "var_rnoise")


def typed(raw, directory, *options):
    """Type the steps one after another; paths of their products by step."""
    path, made = raw, {}
    for name in STEPS:
        done(name, path, "--outdir", directory, *options)
        path = made[name] = directory / raw.name.replace("_uncal", f"_{SUFFIXES[name]}")
    return made


@pytest.fixture(scope="module", params=some_long(["2.1.0", "1.5.0"], 1))
def both(request, raw18, tmp_path_factory):
    """(profile, `_cal` of rt-run on the raw file, products of the steps typed one by one), detector WFI18."""
    directory = tmp_path_factory.mktemp("both")
    done("run", raw18, "--outdir", directory, "--profile", request.param)
    (directory / "typed").mkdir()
    steps = typed(raw18, directory / "typed", "--profile", request.param)
    return request.param, directory / raw18.name.replace("_uncal", "_cal"), steps


def test_typed_steps_then_rt_run_give_the_bits_of_rt_run(both, tmp_path):
    profile, cal, steps = both
    done("run", steps["flat"], "--outdir", tmp_path)
    names = EXACT + (NOISE if profile == "1.5.0" else ())
    assert same(cal, tmp_path / cal.name, *names) == dict.fromkeys(names, True)
    assert meta(tmp_path / cal.name)["filename"] == cal.name
    assert statuses(tmp_path / cal.name) == statuses(cal)


def test_typed_steps_lose_only_the_rounding_of_float16(both):
    """In profile 2.x err and variances are float16 in the files between the steps: each step rounds once more."""
    _profile, cal, steps = both
    for name in NOISE:
        one, two = arrays(cal, name)[name].astype("f8"), arrays(steps["flat"], name)[name].astype("f8")
        assert np.allclose(one, two, rtol=2**-10, atol=2**-24, equal_nan=True)


def test_other_arrays_survive_the_steps(both):
    """amp33, borders and jump positions are those of the chain, although most steps do not touch them."""
    _profile, cal, steps = both
    names = [name for name in arrays(cal) if name.startswith(("amp33", "border", "dq_border", "jump"))]
    assert len(names) == 10
    assert same(cal, steps["flat"], *names) == dict.fromkeys(names, True)
    assert len(arrays(cal, "jump_indices")["jump_indices"]) > 0


def test_amp33_and_borders_stay_as_dqinit_left_them(both):
    _profile, cal, steps = both
    names = [name for name in arrays(steps["dqinit"]) if "border" in name or name == "amp33"]
    assert len(names) == 9
    assert same(cal, steps["dqinit"], *names) == dict.fromkeys(names, True)


TAKEN = ("saturation", "linearity", "rampfit", "photom")
"""Steps whose products are taken in every run."""


@pytest.mark.parametrize("name", some_long(sorted(STEPS, key=lambda name: name not in TAKEN), len(TAKEN)))
def test_rt_run_takes_every_intermediate_product(both, name, tmp_path):
    profile, cal, steps = both
    done("run", steps[name], "--outdir", tmp_path)
    names = EXACT + (NOISE if profile == "1.5.0" else ())
    assert same(cal, tmp_path / cal.name, *names) == dict.fromkeys(names, True)
    made = {cal.name.replace("_cal.asdf", f"_{end}") for end in ("cal.asdf", "wcs.asdf", "segm.asdf", "cat.parquet")}
    assert {path.name for path in tmp_path.iterdir()} == made


def test_rt_run_on_a_cal_writes_it_again(both, tmp_path):
    _profile, cal, _steps = both
    done("run", cal, "--outdir", tmp_path)
    assert all(same(cal, tmp_path / cal.name).values())
    wcs, first = tmp_path / cal.name.replace("_cal", "_wcs"), cal.with_name(cal.name.replace("_cal", "_wcs"))
    assert sky(wcs, "wcs_l1") == sky(first, "wcs_l1")


def sky(path, name):
    """Where a WCS of a product puts a pixel."""
    from rtools.products.io import open_product

    with open_product(path) as product:
        return [float(value) for value in product.node(name)(30.0, 20.0)]


def test_wcs_passes_untouched_through_steps_that_do_not_use_it(both):
    _profile, cal, steps = both
    positions = [sky(path, "meta.wcs") for path in (cal, *(steps[name] for name in ("assignwcs", "photom", "flat")))]
    assert positions[0] == positions[1] == positions[2] == positions[3]
    assert np.allclose(positions[0], [270, 66], atol=1.5)


def test_the_wcs_of_level_1_counts_the_border(both):
    _profile, cal, _steps = both
    product = cal.with_name(cal.name.replace("_cal", "_wcs"))
    from rtools.products.io import open_product

    with open_product(product) as found:
        one, two = found.node("wcs_l1"), found.node("wcs_l2")
    assert np.allclose(one(34.0, 24.0), two(30.0, 20.0), rtol=0, atol=1e-12)


def test_history_of_typed_steps_names_them_all(both):
    _profile, _cal, steps = both
    tools = [entry["tool"] for entry in history(steps["flat"])]
    assert tools == ["rt-sim", *(f"rt-{name}" for name in STEPS)]


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """512 x 512 pixels: four channels, more than threads."""
    return simulate(tmp_path_factory.mktemp("wide"), size=512, reads="1;2-3;4-5;6;7;8")


@pytest.mark.parametrize("options", [(), ("--set", "saturation.grow=2", "--set", "rampfit.algorithm=ols_cas22")])
def test_any_number_of_threads_gives_the_same_bits(wide, tmp_path, options):
    for threads in (1, 2, 3):
        done("run", wide, "--outdir", tmp_path / str(threads), "-j", threads, *options)
    cal = wide.name.replace("_uncal", "_cal")
    for threads in (2, 3):
        assert all(same(tmp_path / "1" / cal, tmp_path / str(threads) / cal).values())


def test_step_tools_give_the_same_bits_for_any_number_of_threads(wide, tmp_path):
    done("run", wide, "--outdir", tmp_path, "--until", "dqinit")
    start = tmp_path / wide.name.replace("_uncal", "_dqinit")
    for threads in (1, 3):
        done("run", start, "--outdir", tmp_path / str(threads), "-j", threads, "--until", "linearity", "--save-steps")
    for path in sorted((tmp_path / "1").iterdir()):
        assert all(same(path, tmp_path / "3" / path.name).values())


SNOWBALL = {"centre": (130, 125), "core": 4, "halo": 12, "group": 3}
"""A snowball on the border between two channels of a frame of 256 columns."""


def snowball(meta, arrays):
    """A round core that saturates, and a halo of some hundred DN around it, from one resultant on."""
    y, x = np.indices(arrays["data"].shape[1:])
    radius = np.hypot(y - SNOWBALL["centre"][0], x - SNOWBALL["centre"][1])
    data = arrays["data"][SNOWBALL["group"] :].astype("i4")
    data[:, radius <= SNOWBALL["halo"]] += 900
    data[:, radius <= SNOWBALL["core"]] = 65535
    arrays["data"][SNOWBALL["group"] :] = np.clip(data, 0, 65535)


def test_snowballs_are_found_and_have_the_same_bits_for_any_number_of_threads(raw, tmp_path):
    struck = rewrite(raw, tmp_path / raw.name, snowball)
    options = ("--set", "rampfit.expand-large-events=true", "--set", "rampfit.expand-factor=2.5")
    for threads in (1, 2, 3):
        done("run", struck, "--outdir", tmp_path / str(threads), "-j", threads, *options)
    done("run", struck, "--outdir", tmp_path / "off")
    name = raw.name.replace("_uncal", "_cal")
    for threads in (2, 3):
        assert all(same(tmp_path / "1" / name, tmp_path / str(threads) / name).values())
    with_flags, without = (arrays(tmp_path / place / name, "dq")["dq"] & 4 for place in ("1", "off"))
    y, x = np.indices(with_flags.shape)
    ring = np.hypot(y + 4 - SNOWBALL["centre"][0], x + 4 - SNOWBALL["centre"][1])
    ring = (ring > SNOWBALL["halo"] + 2) & (ring < 2 * SNOWBALL["halo"])
    assert with_flags[ring].all()
    assert np.mean(without[ring] > 0) < 0.2
    far = np.hypot(y + 4 - SNOWBALL["centre"][0], x + 4 - SNOWBALL["centre"][1]) > 60
    assert np.array_equal(with_flags[far], without[far])


def test_typed_rampfit_finds_the_snowballs_of_the_chain(raw, tmp_path):
    struck = rewrite(raw, tmp_path / raw.name, snowball)
    done("run", struck, "--save-steps", "--until", "rampfit", "--set", "rampfit.expand_large_events=true")
    made = raw.name.replace("_uncal", "_rampfit")
    linearity = tmp_path / raw.name.replace("_uncal", "_linearity")
    done("rampfit", linearity, "--outdir", tmp_path / "typed", "--expand-large-events")
    assert all(same(tmp_path / made, tmp_path / "typed" / made).values())
    assert READS.count(";") + 1 == arrays(linearity, "data")["data"].shape[0]
