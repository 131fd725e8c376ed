"""Tables side by side, and below each other: no column, mask or number is lost."""

import numpy as np
import pytest
from astropy.table import Column, MaskedColumn, Table

from rtools.errors import InputError, UsageError
from rtools.products.tables.arrange import stacked
from rtools.products.tables.joined import joined

MORE = {"sep": (np.array([0.1]), "arcsec", "Separation")}


def side_by_side(*columns, suffixes=("_1", "_2"), more=MORE):
    tables = [Table({name: [f"{number}{name}"] for name in names}) for number, names in enumerate(columns)]
    return joined(tables, [np.array([0])] * len(tables), suffixes, more)


def test_a_name_that_a_suffix_makes_does_not_overwrite_a_column():
    found = side_by_side(["flux", "sep"], ["flux", "flux_1", "sep_1"])
    values = {name: found[name][0] for name in found.colnames if name != "sep"}
    assert values == {"flux_1_1": "0flux", "sep_1_1": "0sep", "flux_2": "1flux", "flux_1": "1flux_1", "sep_1": "1sep_1"}
    assert found["sep"][0] == 0.1


def test_a_suffix_may_be_empty_and_ends_where_names_would_be_the_same():
    assert side_by_side(["flux"], ["flux"], suffixes=("_a", "")).colnames == ["flux_a", "flux", "sep"]
    assert side_by_side(["flux", "flux_a"], ["flux"], suffixes=("_a", "")).colnames[:2] == ["flux_a_a", "flux_a"]
    with pytest.raises(UsageError, match="two columns would be called sep"):
        side_by_side(["sep"], ["ra"], suffixes=("", "_b"))


def test_masked_values_stay_masked_when_tables_of_other_units_are_stacked():
    one = Table({"count": MaskedColumn([1, 2], mask=[False, True]), "flux": Column([1.0, 2.0], unit="nJy")})
    two = Table({"count": [3, 4], "flux": MaskedColumn([1, 2], mask=[True, False], unit="uJy")})
    found = stacked({"a": one, "b": two})
    assert found["count"].mask.tolist() == [False, True, False, False]
    np.testing.assert_allclose(found["flux"], [1, 2, np.nan, 2000])


def test_large_ids_of_signed_and_unsigned_columns_are_stacked_exactly():
    one, two = Table({"id": np.array([2**53 + 1])}), Table({"id": np.array([2**63 + 1], np.uint64)})
    assert stacked({"a": one, "b": two})["id"].tolist() == [2**53 + 1, 2**63 + 1]
    with pytest.raises(InputError, match="no type holds"):
        stacked({"a": Table({"id": [-1]}), "b": two})
    with pytest.raises(InputError, match="large whole numbers"):
        stacked({"a": one, "b": Table({"id": [0.5]})})
    assert stacked({"a": Table({"id": [1]}), "b": Table({"id": [0.5]})})["id"].tolist() == [1.0, 0.5]
