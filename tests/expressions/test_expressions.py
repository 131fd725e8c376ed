"""Expressions about columns: what they compute, what has no value, and how mistakes are told."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import Column, MaskedColumn, Table

from rtools.catalog.psf._psffit_work import FLAGS
from rtools.errors import InputError, UsageError
from rtools.expressions import column_of_value, evaluate, select
from rtools.expressions.guide import HELP
from rtools.expressions.text import DEEPEST, LONGEST, MOST
from rtools.wfi import dq

TABLE = {
    "a": np.array([1, 2, 3]),
    "flux": Column([100.0, np.nan, 300.0], unit="nJy"),
    "err": Column([0.02, 0.02, 0.02], unit="uJy"),
    "ok": np.array([True, False, True]),
    "kind": np.array(["star", "disk", "star"]),
    "masked": MaskedColumn([1, 2, 3], mask=[False, True, False]),
    "ra": Column([270.1, 270.1, 0.0], unit="deg"),
    "dec": Column([66.0, 66.002, 0.0], unit="deg"),
    "image_flags": np.array([0, 1, 3], np.int32),
    "sky_centroid.ra": np.array([1.0, 2.0, 3.0]),
    "OI-T3": np.array([1, 2, 3]),
    "class": np.array([1, 2, 3]),
    "RA (deg)": np.array([1, 2, 3]),
    "spatial_id": np.array([1152921504606846977, 0, 1]),
    "cube": np.zeros((3, 2)),
}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a > 1 and ok", "3"), ("a > 1 && ok", "3"), ("a == 1 || !ok", "12"), ("A_OR = 1", None), ("a=1 OR a=3", "13"),
        ("a between 2 and 3", "23"), ("a not between 2 and 3 and ok", "1"), ("a between 1 and 2 and not ok", "2"),
        ("a in (1, 3)", "13"), ("a not in (1, 3)", "2"), ("kind in ('star')", "13"), ("1 < a < 3", "2"),
        ("a & 1", "13"), ("a & 1 == 0", "2"), ("~a & 1", "2"), ("(a > 1) & ok", "3"), ("ok | (a == 2)", "123"),
        ("flux / err > 10", "3"), ("flux > err * 10", "3"), ("flux > 200", "3"), ("not is_nan", None),
        ("not (flux > 200)", "1"), ("flux != 100", "3"), ("isnan(flux)", "2"), ("not isnan(masked)", "13"),
        ("masked != 1", "3"), ("masked > 0 or a == 2", "123"), ("masked > 5 and a > 0", ""), ("a / 0 > 1", ""),
        ("log10(a - 1) < 5", "23"), ("a % 2 == 0", "2"), ("-a < -1", "23"), ("2 * a ** 2 == 8", "2"),
        ("abs(a - 2) == 1", "13"),
        ("sep(ra, dec, 270.1, 66.0) < 10", "12"), ("sep(ra, dec, 270.1, 66.0) < 5", "1"), ("mag(flux) < 26", "3"),
        ("has(image_flags, REPLACED)", "23"), ("has(image_flags, 2)", "3"), ("OI-T3 - 1 > 1", "3"), ("class = 2", "2"),
        ("sky_centroid.ra > 1", "23"), ("`RA (deg)` > 1", "23"), ("spatial_id == 1152921504606846977", "1"),
        ("a == max(a)", "3"), ("flux < mean(flux)", "1"), ("min(a, 2) == 2", "23"), ("where(ok, a, 9) > 3", "2"),
        ("hypot(a, a) > 4", "3"), ("round(flux / 300, 1) == 0.3", "1"), ("floor(a / 2) == 1", "23"),
        ("a > 007 - 6", "23"),
        ("cos(dec) > 0.9", "3"), ("sqrt(a) > 1.5", "3"), ("exp(ln(a)) > 2.5", "3"), ("a > 0x1", "23"),
    ],
)  # fmt: skip
def test_conditions(text, rows):
    if rows is None:
        with pytest.raises(InputError, match="there is no column"):
            select(text, TABLE)
    else:
        assert "".join(map(str, TABLE["a"][select(text, TABLE)])) == rows


def test_units_are_carried_where_they_are_plain():
    assert evaluate("flux + err", TABLE).unit == units.nJy
    np.testing.assert_allclose(evaluate("flux + err", TABLE).data[[0, 2]], [120, 320])
    assert evaluate("flux * 2", TABLE).unit == units.nJy
    assert evaluate("flux / err", TABLE).unit is None
    np.testing.assert_allclose(evaluate("flux / err", TABLE).data[0], 5)
    assert evaluate("sqrt(flux)", TABLE).unit == units.nJy**0.5
    assert evaluate("log10(flux)", TABLE).unit is None
    assert evaluate("mag(flux)", TABLE).unit == units.ABmag
    assert evaluate("mag(flux) - mag(err)", TABLE).unit == units.mag
    with pytest.raises(UsageError, match="nJy and deg do not go together"):
        evaluate("flux + ra", TABLE)


def test_magnitudes_and_separations_are_those_of_astropy():
    table = {"f": Column([1.0, 3631e3], unit="mJy"), "plain": np.array([1.0, 10.0])}
    np.testing.assert_allclose(
        evaluate("mag(f)", table).data, (table["f"].data * units.mJy).to(units.ABmag).value, atol=1e-3
    )
    np.testing.assert_allclose(evaluate("mag(plain)", table).data, [31.4, 28.9])
    wanted = SkyCoord(TABLE["ra"], TABLE["dec"]).separation(SkyCoord(270.2 * units.deg, 65 * units.deg))
    np.testing.assert_allclose(evaluate("sep(ra, dec, 270.2, 65)", TABLE).data, wanted.arcsec, rtol=1e-12)


def test_columns_of_results_have_no_value_where_the_result_has_none():
    column = column_of_value(evaluate("100 / (a - 1)", TABLE), 3)
    np.testing.assert_array_equal(column, [np.nan, 100, 50])
    column = column_of_value(evaluate("masked + 1", TABLE), 3)
    assert column.mask.tolist() == [False, True, False] and column.dtype == np.int64
    assert column_of_value(evaluate("1.5", TABLE), 3).tolist() == [1.5, 1.5, 1.5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a >", "ends early"), ("", "ends early"), ("(a > 1", r"without its \) \(at 1,"), ("a > 1)", r"without its \("),
        ("flux > 1 nJy", r"at 10, 'nJy'"), ("flux ^ 2 > 1", r"at 6, .* is the power"),
        ("lg10(a) > 1", "did you mean log10"),
        ("kind > 5", "text and a number"), ("flux & 1", "two whole numbers or two conditions .* and joins"),
        ("has(image_flags, REPLACD)", "did you mean REPLACED"), ("has(image_flags)", "names of flags"),
        ("sep(ra, dec) < 3", "sep takes 4 values, not 2"), ("flux", "no condition"), ("1 < 2", "no column in it"),
        ("cube > 1", "no single value"), ("a, ok", "not part"), ("a between 1", "between is written"),
        ("a * 1000000000000000000 * 100 > 1", "beyond 64 bits"), ("1e999 > a", "too large"), ("a in ()", "empty list"),
        ("x" * (LONGEST + 1), "characters"), ("(" * (DEEPEST + 1) + "a", "parentheses"), ("a+" * MOST + "a", "parts"),
        ("-" * 900 + "a > 1", "too deep"), ("not " * 900 + "ok", "too deep"),
    ],
)  # fmt: skip
def test_mistakes_are_shown_with_their_place(text, says):
    with pytest.raises(UsageError, match=says):
        select(text, TABLE)


def test_a_column_that_is_not_there_is_an_error_of_the_input():
    with pytest.raises(InputError, match="no column fluxx; did you mean flux"):
        select("a > 1 and fluxx > 2", TABLE)


RUN = (
    "a.__class__", "__import__('os').system('x')", "(lambda: 1)()", "[a for a in a]", "a if ok else a", "f'{a}'",
    "a := 1", "print(a)", "open('x')", "a.real", "'x'.join(kind)", "globals()", "abs.__call__(a)", "a[0]", "{a}",
    "await a", "*a",
)  # fmt: skip


@pytest.mark.parametrize("text", RUN)
def test_texts_are_never_run(text):
    with pytest.raises((UsageError, InputError)):
        select(text, TABLE)


def test_flags_of_fits_are_called_as_the_fit_calls_them():
    assert {name.lower(): bit for name, bit in dq.SOURCE["psf_flags"].items()} == FLAGS


def test_flags_of_pixels_are_those_of_the_mission_of_the_table():
    from rtools.products.tables.expressed import choose_rows

    table = Table({"DQ": [0, 16, 128]})
    with pytest.raises(UsageError, match="no DQ flag is called 'OUTLIER'"):
        choose_rows(table, "has(DQ, OUTLIER)")
    table.meta["TELESCOP"] = "JWST"
    assert choose_rows(table, "has(DQ, OUTLIER)")["DQ"].tolist() == [16]
    table.meta = {"roman.meta.telescope": "ROMAN"}
    assert choose_rows(table, "has(DQ, OUTLIER)")["DQ"].tolist() == [128]


def test_the_help_names_every_function():
    from rtools.expressions.functions import NAMES

    assert [name for name in NAMES if name not in HELP] == []


SKY = {
    "flux": Column([1.0, 300.0], unit="nJy"),
    "err": Column([0.02, 0.02], unit="uJy"),
    "ab": Column([20.0, 21.0], unit=units.ABmag),
    "st": Column([20.0, 21.0], unit=units.STmag),
    "ext": Column([0.5, 0.1], unit="mag"),
    "fraction": Column([0.5, 2.0], unit=""),
}


def test_several_values_are_compared_in_one_unit_wherever_a_plain_number_stands():
    for text in ("max(0, flux, err)", "max(flux, err, 0)", "max(0, flux, where(err > 0, err, 1))"):
        found = evaluate(text, SKY)
        np.testing.assert_allclose(found.data, [20, 300])
        assert found.unit == units.nJy
    assert evaluate("hypot(3, flux)", SKY).unit == units.nJy
    np.testing.assert_allclose(evaluate("hypot(15, hypot(flux, err))", SKY).data[0], 25.02, atol=0.01)
    assert evaluate("where(flux > 5, 0, err)", SKY).unit == units.uJy
    assert select("fraction > flux / err", SKY).tolist() == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "ab < flux",
        "flux > ext",
        "ab + flux",
        "min(ab, flux)",
        "where(flux > 1, ab, flux)",
        "ab == st",
        "ab in (flux, err)",
    ],
)
def test_a_magnitude_and_a_flux_are_not_compared(text):
    with pytest.raises(UsageError, match="do not go together"):
        evaluate(text, SKY)


def test_a_magnitude_has_no_magnitude():
    for text in ("mag(ab)", "mag(ext)"):
        with pytest.raises(UsageError, match="mag takes flux densities, not mag"):
            evaluate(text, SKY)


def test_magnitudes_differences_and_extinctions_keep_their_zero_points():
    expected = {"ab - ext": units.ABmag, "ab + ext": units.ABmag, "ab - ab": units.mag, "std(ab)": units.mag,
                "3.1 * ext": units.mag, "mean(ab)": units.ABmag, "ab / ext": None}  # fmt: skip
    assert {text: evaluate(text, SKY).unit for text in expected} == expected
    np.testing.assert_allclose(evaluate("10 ** (-0.4 * ext) * flux", SKY).data[0], 10**-0.2)
    np.testing.assert_allclose(evaluate("10 ** (-0.4 * (ab - ab)) * flux", SKY).data, [1, 300])


WHOLE = {
    "small": np.array([-128, 127], np.int8),
    "positive": np.array([200, 3], np.uint8),
    "large": np.array([2**63 + 5, 2], np.uint64),
    "id": np.array([2**53 + 1, -3], np.int64),
    "least": np.array([-(2**63), 1], np.int64),
    "hidden": MaskedColumn([2**62, 3], mask=[True, False]),
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("abs(small)", [128, 127]), ("small * small", [16384, 16129]), ("-positive", [-200, -3]),
        ("positive - 201", [-1, -198]), ("round(small, -1)", [-130, 130]), ("large % 10", [3, 2]),
        ("large - 1", [2**63 + 4, 1]), ("large + 1", [2**63 + 6, 3]), ("positive ** 2", [40000, 9]),
        ("id ** 1", [2**53 + 1, -3]), ("-(least + 1)", [2**63 - 1, -2]), ("max(large, positive)", [2**63 + 5, 3]),
        ("min(id, positive)", [200, -3]), ("where(positive > 5, large, 1)", [2**63 + 5, 1]),
        ("3 * 3074457345618258602", 9223372036854775806), ("2 ** 63", 2**63),
        ("id * 1 == 9007199254740992", [False, False]),
    ],
)  # fmt: skip
def test_whole_numbers_are_computed_in_a_type_that_holds_them(text, values):
    assert evaluate(text, WHOLE).data.tolist() == values


def test_powers_beyond_64_bits_are_floats_and_what_is_hidden_does_not_count():
    assert evaluate("10 ** 30", WHOLE).data == 1e30 and evaluate("2 ** -1", WHOLE).data == 0.5
    assert evaluate("hidden * 3", WHOLE).data[1] == 9
    with pytest.raises(UsageError, match="beyond 64 bits"):
        evaluate("-least", WHOLE)  # 2**63 and -1
    with pytest.raises(UsageError, match="below 0 and beyond 63 bits"):
        evaluate("max(large, least)", WHOLE)
    assert evaluate("5 & 2 ** 2", WHOLE).data == 4


def test_a_column_that_is_called_as_a_function_does_not_hide_it():
    table = {name: np.array([1.0, 4.0]) for name in ("sep", "sqrt", "ra", "dec", "in", "max")}
    assert select("sep > 2 and sep(ra, dec, 4, 4) < 1", table).tolist() == [False, True]
    assert evaluate("sqrt(sqrt) + max(max)", table).data.tolist() == [5, 6]
    assert select("ra in (4, 5) and `in` > 1", table).tolist() == [False, True]
    with pytest.raises(UsageError, match="no function ra"):
        evaluate("ra(1)", table)


@pytest.mark.parametrize("text", ["a>=2", "a<=2", "a!=2", "a==2", "a > 1 and b = 2", "=a", "a", "a && b = 2"])
def test_a_column_without_a_name_is_not_added(text):
    from rtools.products.tables.expressed import add_columns

    table = Table({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(UsageError, match="NAME=EXPRESSION expected"):
        add_columns(table, [text])
    assert table.colnames == ["a", "b"]
    add_columns(table, ["c = a >= 2"])
    assert table["c"].tolist() == [False, True]
