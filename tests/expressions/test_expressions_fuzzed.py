"""Expressions by chance: what is typed makes an answer or one of the errors that are documented, in bounded time."""

import random
import time

import numpy as np
import pytest
from astropy.table import Column, MaskedColumn

from rtools.errors import InputError, UsageError
from rtools.expressions import column_of_value, evaluate
from rtools.expressions.functions import NAMES

ROWS = 50
NUMBERS = np.random.default_rng(3)
TABLE = {
    "a": np.arange(ROWS),
    "flux": Column(NUMBERS.normal(0, 1e3, ROWS), unit="nJy"),
    "small": NUMBERS.normal(size=ROWS).astype(np.float16),
    "big": np.full(ROWS, 2**62),
    "byte": np.arange(ROWS, dtype=np.uint8),
    "wide": np.full(ROWS, 2**64 - 1, np.uint64),
    "gone": MaskedColumn(np.arange(ROWS), mask=np.arange(ROWS) % 2 == 0),
    "ok": np.arange(ROWS) % 3 == 0,
    "kind": np.array(["star", "disk"] * (ROWS // 2)),
    "raw": np.array([b"x"] * ROWS),
    "ra": Column(np.linspace(0, 360, ROWS), unit="deg"),
    "hole": np.full(ROWS, np.nan),
    "end": np.full(ROWS, np.inf),
    "abmag": Column(np.linspace(20, 30, ROWS), unit="mag(AB)"),
    "cube": np.zeros((ROWS, 2)),
    "class": np.arange(ROWS),
    "OI-T3": np.arange(ROWS),
}
ALL_SIGNS = """+ - * / ** % & | ~ < <= > >= == != = && || ! ( ) , and or not in between AND
^ ; : . [ ] { } @ # " ' ` $ \\ é"""
SIGNS = ALL_SIGNS.split()
WORDS = [
    *TABLE, *sorted(NAMES), *SIGNS, *SIGNS, "0", "1", "2.5", "-3", "1e300", "1e-300", "9999999999999999999999", "0x1F",
    "'star'", '"x"', "true", "False", "nan", "None", "__import__", "lambda", "REPLACED", "`a`", "1_000", "1j", "00",
    "_between", "_0", "\N{ARABIC-INDIC DIGIT THREE}", "if", "else",
]  # fmt: skip
SECONDS = 1.0
"""Of processor: no expression takes longer."""


def made(chance, depth=0):
    """An expression that is mostly right."""
    if depth > 4 or chance.random() < 0.25:
        return chance.choice([*TABLE, "1", "0", "2.5", "'star'", "true", "1e300"])
    kind = chance.randrange(6)
    parts = [made(chance, depth + 1) for _ in range(4)]
    if kind == 0:
        return f"({parts[0]} {chance.choice(['+', '-', '*', '/', '**', '%', '&', '|'])} {parts[1]})"
    if kind == 1:
        return f"({parts[0]} {chance.choice(['<', '<=', '>', '>=', '==', '!=', '='])} {parts[1]})"
    if kind == 2:
        return f"{parts[0]} {chance.choice(['and', 'or', '&&', '||'])} {parts[1]}"
    if kind == 3:
        return f"{chance.choice(['-', '~', 'not ', '!'])}{parts[0]}"
    if kind == 4:
        return f"{chance.choice(sorted(NAMES))}({', '.join(parts[: chance.randrange(1, 5)])})"
    return f"{parts[0]} {chance.choice(['in', 'not in'])} ({parts[1]}, {parts[2]})" if chance.random() < 0.5 else (
        f"{parts[0]} between {parts[1]} and {parts[2]}"
    )  # fmt: skip


def broken(chance):
    """An expression with a part lost, doubled or replaced, or words by chance."""
    if chance.random() < 0.3:
        return chance.choice(["", " "]).join(chance.choice(WORDS) for _ in range(chance.randrange(12)))
    text = made(chance)
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice([*WORDS, ""]) + text[place + chance.randrange(3) :]


def try_them(count, seed):
    chance, answers = random.Random(seed), 0
    for _ in range(count):
        text = made(chance) if chance.random() < 0.5 else broken(chance)
        before = time.process_time()
        try:
            value = evaluate(text, TABLE)
            column = column_of_value(value, ROWS)
        except (UsageError, InputError) as error:
            assert "\n" not in str(error).replace(text, ""), text
        else:
            answers += 1
            assert len(column) == ROWS and column.dtype.kind in "biufU", text
            if column.dtype.kind == "f":
                assert np.array_equal(np.isnan(column), np.broadcast_to(value.unknown, ROWS)), text
        assert time.process_time() - before < SECONDS, text
    assert answers > count / 20


@pytest.mark.filterwarnings("error")
def test_a_few_expressions_by_chance():
    try_them(400, 7)


@pytest.mark.long
@pytest.mark.filterwarnings("error")
def test_ten_thousand_expressions_by_chance():
    try_them(10_000, 8)
