"""Expressions computed: the tree of `rtools.expressions.text`, column by column.

What has no value (NaN, masked, x / 0, the logarithm of what is not positive) makes everything that is computed with it
unknown. ``and``, ``or`` and ``not`` follow Kleene's logic: ``a or b`` holds where b does, whatever a is; a row whose
condition is unknown is not chosen. `isnan` asks for it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import RtoolsError, UsageError
from rtools.expressions import functions
from rtools.expressions.arithmetic import arithmetic, bits, compare
from rtools.expressions.missing import missing_column
from rtools.expressions.text import BETWEEN, ColumnName, LooseWord, MistakeError, Parsed, fault, parse
from rtools.expressions.values import Value, both, either, truth, value_of

__all__ = ["evaluate", "select"]

ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.Pow: "**"}
BITS = {ast.BitAnd: "&", ast.BitOr: "|"}
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}

DEEPEST = 150
"""Parts of an expression in each other."""


class _Task(NamedTuple):
    """What an expression is computed with."""

    parsed: Parsed
    columns: Mapping[str, Any]
    flags: functions.FlagNames | None
    used: set[str]


def evaluate(text: str, columns: Mapping[str, Any], *, flags: functions.FlagNames | None = None) -> Value:
    """Compute an expression.

    Parameters
    ----------
    text : str
        As it is typed: ``kron_flux / kron_flux_err > 10 and not is_extended``.
    columns : mapping of str to astropy.table.Column or ndarray
        By name, all of one length.
    flags : mapping of str to mapping of str to int, optional
        Names of flags by column, for ``has``; beside those of catalogs, which are known.

    Returns
    -------
    Value
        One for each row; a single one where the expression has no column.

    Raises
    ------
    UsageError
        It is no expression, or computes what cannot be computed; the place is shown.
    InputError
        There is no such column.
    """
    task = _Task(parse(text, columns.keys(), functions.NAMES), columns, flags, set())
    return _value(task, task.parsed.tree, 0)


def select(text: str, columns: Mapping[str, Any], *, flags: functions.FlagNames | None = None) -> np.ndarray:
    """Rows of a table for which a condition holds.

    Parameters
    ----------
    text : str
        The condition as it is typed.
    columns : mapping of str to astropy.table.Column or ndarray
        By name, all of one length.
    flags : mapping of str to mapping of str to int, optional
        As in `evaluate`.

    Returns
    -------
    ndarray of bool
        False where the condition is unknown.

    Raises
    ------
    UsageError
        The text is no condition, has no column, or computes what cannot be computed.
    InputError
        There is no such column.
    """
    task = _Task(parse(text, columns.keys(), functions.NAMES), columns, flags, set())
    found = _condition(task, task.parsed.tree, 0)
    if not task.used:
        raise UsageError(f"{text!r} has no column in it", mend="a condition is like kron_flux > 20 and not is_extended")
    return np.asarray(found.data & ~found.unknown)


def _fault(task, node, what, mend=None):
    return fault(task.parsed.text, task.parsed.place_of(node), what, mend=mend)


def _value(task, node, depth):
    """The value of a part of the tree; its errors say the place."""
    if depth > DEEPEST:
        raise _fault(task, node, "the expression is too deep")
    try:
        return _computed(task, node, depth + 1)
    except MistakeError:
        raise
    except UsageError as error:
        raise _fault(task, node, error.message, error.mend) from None


def _computed(task, node, depth):
    if isinstance(node, ast.Name):
        return _leaf(task, node)
    if isinstance(node, ast.BoolOp):
        join = both if isinstance(node.op, ast.And) else either
        found = _condition(task, node.values[0], depth)
        for part in node.values[1:]:
            found = join(found, _condition(task, part, depth))
        return found
    if isinstance(node, ast.BinOp):
        left, right = _value(task, node.left, depth), _value(task, node.right, depth)
        if type(node.op) in BITS:
            return bits(BITS[type(node.op)], left, right)
        if type(node.op) in ARITHMETIC:
            return arithmetic(ARITHMETIC[type(node.op)], left, right)
    if isinstance(node, ast.UnaryOp):
        return _unary(task, node, depth)
    if isinstance(node, ast.Compare):
        return _compared(task, node, depth)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _called(task, node, depth)
    raise _fault(task, node, "this is not part of an expression")


def _condition(task, node, depth):
    found = _value(task, node, depth)
    try:
        return truth(found)
    except UsageError as error:
        raise _fault(task, node, error.message, error.mend) from None


def _leaf(task, node):
    """A number, a text, a truth value or a column."""
    given = task.parsed.leaves.get(node.id)
    if isinstance(given, LooseWord) or (isinstance(given, ColumnName) and given.name not in task.columns):
        raise missing_column(given.name, task.columns)
    if given is None:
        raise _fault(task, node, "this is not part of an expression")
    if not isinstance(given, ColumnName):
        return value_of(given)
    task.used.add(given.name)
    try:
        return value_of(task.columns[given.name])
    except UsageError:
        raise _fault(task, node, f"the column {given.name} has no single value a row") from None


def _unary(task, node, depth):
    if isinstance(node.op, ast.Not):
        found = _condition(task, node.operand, depth)
        return found._replace(data=~found.data)
    found = _value(task, node.operand, depth)
    if isinstance(node.op, ast.Invert):
        if found.kind not in "bi":
            raise UsageError("~ takes whole numbers or a condition")
        return found._replace(data=~found.data)
    if found.kind not in "if":
        raise UsageError("a number is expected behind the sign")
    return arithmetic("*", value_of(-1), found) if isinstance(node.op, ast.USub) else found


def _compared(task, node, depth):
    """A comparison, perhaps of several in a chain (1 < x < 5), or one of ``between`` and ``in``."""
    first = node.comparators[0]
    if isinstance(first, ast.Name) and first.id == BETWEEN:
        return _between(task, node, depth)
    found, left = None, _value(task, node.left, depth)
    for sign, right_node in zip(node.ops, node.comparators, strict=True):
        if left is None:
            raise _fault(task, right_node, "a list cannot be compared")
        if isinstance(sign, ast.In | ast.NotIn):
            part, left = _in_list(task, (left, right_node), depth), None
            part = part._replace(data=~part.data) if isinstance(sign, ast.NotIn) else part
        elif type(sign) in COMPARE:
            right = _value(task, right_node, depth)
            part, left = compare(COMPARE[type(sign)], left, right), right
        else:
            raise _fault(task, right_node, "this is not part of an expression")
        found = part if found is None else both(found, part)
    return found


def _between(task, node, depth):
    """``x between a and b``, ends included."""
    if len(node.ops) != 3 or not isinstance(node.ops[0], ast.In | ast.NotIn):
        raise _fault(task, node, "between is written x between 1 and 5")
    value = _value(task, node.left, depth)
    low, high = (_value(task, end, depth) for end in node.comparators[1:])
    found = both(compare(">=", value, low), compare("<=", value, high))
    return found._replace(data=~found.data) if isinstance(node.ops[0], ast.NotIn) else found


def _in_list(task, sides, depth):
    """``x in (1, 2, 3)``."""
    left, node = sides
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    found = None
    for item in items:
        part = compare("==", left, _value(task, item, depth))
        found = part if found is None else either(found, part)
    if found is None:
        raise _fault(task, node, "an empty list")
    return found


def _called(task, node, depth):
    """A function of values; ``has`` takes names of flags behind its column."""
    name = node.func.id
    if name not in functions.NAMES or any(isinstance(part, ast.Starred) for part in node.args):
        raise _fault(task, node, "this is not part of an expression")
    if name != "has":
        return functions.call(name, [_value(task, part, depth) for part in node.args])
    leaves = [task.parsed.leaves.get(part.id) if isinstance(part, ast.Name) else None for part in node.args]
    if not node.args or not isinstance(leaves[0], ColumnName):
        raise UsageError("has takes a column of flags and their names: has(image_flags, REPLACED)")
    wanted = [leaf.name if isinstance(leaf, LooseWord | ColumnName) else leaf for leaf in leaves[1:]]
    try:
        return functions.has(_value(task, node.args[0], depth), leaves[0].name, wanted, task.flags)
    except RtoolsError as error:
        raise _fault(task, node, error.message, error.mend) from None
