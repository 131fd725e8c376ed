"""Keys of the rows of two tables: equal ones make pairs, whatever their types; what is no key makes none."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.work.keys import match_keys


def pairs(one, two):
    first, second = match_keys(one, two)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def test_keys_that_repeat_make_every_pair():
    one, two = np.array([3, 1, 2, 1]), np.ma.array([1, 2, 1, 3], mask=[0, 0, 0, 1])
    assert pairs(one, two) == [(1, 0), (1, 2), (2, 1), (3, 0), (3, 2)]
    with pytest.raises(InputError, match="same key"):
        match_keys(np.zeros(10_000), np.zeros(10_000))


def test_large_ids_of_signed_and_unsigned_columns_are_compared_exactly():
    signed = np.array([2**53 + 1, 2**53, -1, 2**63 - 1], np.int64)
    unsigned = np.array([2**53, 2**53 + 1, 2**64 - 1, 2**63 - 1], np.uint64)
    assert pairs(signed, unsigned) == [(0, 1), (1, 0), (3, 3)]
    assert pairs(unsigned, signed) == [(0, 1), (1, 0), (3, 3)]
    assert pairs(np.array([5, -1], np.int8), np.array([255, 5], np.uint8)) == [(0, 1)]


def test_whole_numbers_in_floats_are_keys_until_they_have_been_rounded():
    assert pairs(np.array([1.0, 2.5, np.nan, np.inf]), np.array([2, 1], np.uint64)) == [(0, 1)]
    with pytest.raises(InputError, match="have been rounded"):
        match_keys(np.array([2**53 + 1]), np.array([2.0**60]))


def test_texts_and_bytes_are_the_same_keys():
    assert pairs(np.array(["a", "ä", "c "]), np.array([b"c", "ä".encode(), b"x"])) == [(1, 1), (2, 0)]
    assert pairs(np.array(["a", None], object), np.array(["a", "None", ""])) == [(0, 0)]
    with pytest.raises(InputError, match="a text and a number"):
        match_keys(np.array(["1"]), np.array([1]))


def test_what_is_no_key_is_equal_to_none():
    assert pairs(np.array([np.nan, 1.0]), np.array([np.nan, 1.0])) == [(1, 1)]
    assert pairs(np.array(["", " ", "a"]), np.array(["a", "", "  "])) == [(2, 0)]
    hidden = np.ma.array(["a", "b"], mask=[1, 0])
    assert pairs(hidden, hidden) == [(1, 1)]
    assert pairs(np.zeros(0), np.array([1])) == []
