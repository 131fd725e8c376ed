"""Conditions on the columns of a table, as they are typed: ``kron_flux > 20 and (flags == 0 or ra < 270.5)``.

A comparison is between a column and a number, a text in quotes, true, false, or another column. ``and`` binds tighter
than ``or``; parentheses are allowed. Nothing is evaluated but this.
"""

import operator
import re
from collections import deque
from collections.abc import Mapping

import numpy as np

from rtools.errors import UsageError
from rtools.products.tables.missing import missing_column

__all__ = ["select"]

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}

FORM = "comparisons like kron_flux > 20 joined by and, or are expected"

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.]))
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<sign><=|>=|==|!=|[<>=()])
    | (?P<word>[^\W\d][\w.]*(?:-[^\W\d][\w.]*)*)
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)


def select(text: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows of a table for which a condition holds.

    Parameters
    ----------
    text : str
        The condition as it is typed.
    columns : mapping of str to ndarray
        All of one length; where a masked one has no value no comparison holds.

    Returns
    -------
    ndarray of bool

    Raises
    ------
    UsageError
        The text is not a valid condition, or compares what cannot be compared.
    InputError
        There is no such column.
    """
    tokens = deque(_tokens(text))
    chosen = _any_of(tokens, columns)
    if tokens:
        raise _unexpected(tokens)
    return chosen


def _tokens(text):
    """(kind, text) of each part of a condition."""
    place, found = 0, []
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise UsageError(f"{text!r} is not a valid condition at {text[place:].strip()[:20]!r}", mend=FORM)
        kind = str(token.lastgroup)  # each way through the pattern has a group
        word = token[kind]
        joins = kind == "word" and word.lower() in ("and", "or")
        found.append(("join", word.lower()) if joins else (kind, word))
        place = token.end()
    return found


def _unexpected(tokens):
    what = f"{tokens[0][1]!r} is unexpected" if tokens else "ends early"
    return UsageError(f"condition: {what}", mend=FORM)


def _any_of(tokens, columns):
    chosen = _all_of(tokens, columns)
    while tokens and tokens[0] == ("join", "or"):
        tokens.popleft()
        chosen = chosen | _all_of(tokens, columns)
    return chosen


def _all_of(tokens, columns):
    chosen = _one(tokens, columns)
    while tokens and tokens[0] == ("join", "and"):
        tokens.popleft()
        chosen = chosen & _one(tokens, columns)
    return chosen


def _one(tokens, columns):
    """A comparison, or a condition in parentheses."""
    if tokens and tokens[0] == ("sign", "("):
        tokens.popleft()
        chosen = _any_of(tokens, columns)
        if not tokens or tokens.popleft() != ("sign", ")"):
            raise UsageError("condition: a ) is missing", mend=FORM)
        return chosen
    left = _operand(tokens, columns)
    if not tokens or tokens[0][1] not in OPERATORS:
        raise _unexpected(tokens)
    compare = OPERATORS[tokens.popleft()[1]]
    right = _operand(tokens, columns)
    if not any(isinstance(side, np.ndarray) for side in (left, right)):
        raise UsageError("condition: a comparison without a column", mend=FORM)
    if _is_text(left) != _is_text(right):
        raise UsageError("condition: a text and a number cannot be compared", mend="a text stands in quotes")
    return np.ma.filled(compare(left, right), False).astype(bool)


def _operand(tokens, columns):
    """Value of a number, a text, true, false, or a column."""
    if not tokens or tokens[0][0] not in ("number", "text", "word"):
        raise _unexpected(tokens)
    kind, word = tokens.popleft()
    if kind == "number":
        return int(word) if re.fullmatch(r"[+-]?\d+", word) else float(word)
    if kind == "text":
        return word[1:-1]
    if word in columns:
        column = columns[word]
        if column.ndim != 1 or column.dtype.kind not in "biufUS":
            raise UsageError(f"condition: the column {word} has no single value a row")
        return column.astype(str) if column.dtype.kind == "S" else column
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    raise missing_column(word, columns)


def _is_text(side):
    return side.dtype.kind == "U" if isinstance(side, np.ndarray) else isinstance(side, str)
