"""The text of an expression as a tree: what is typed becomes Python's operators, and Python's `ast` parses that.

Every number, text, name of a column and name of a flag becomes a placeholder before Python sees it. So the tree holds
operators, calls and placeholders alone, whatever is typed, and names of columns may hold dots and hyphens or be words
of Python. Nothing is ever compiled or run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import Any, NamedTuple

from rtools.errors import UsageError

__all__ = ["BETWEEN", "ColumnName", "LooseWord", "MistakeError", "Parsed", "fault", "parse"]

LONGEST = 4000
"""Characters of an expression."""

DEEPEST = 60
"""Parentheses in each other."""

MOST = 1000
"""Numbers, names and signs of an expression."""

BETWEEN = "_between"
"""The placeholder that stands for ``between``: ``x between a and b`` is parsed as ``x in _between == a <= b``, which
has the right precedence, because Python chains comparisons."""

SHOWN = 40
"""Characters of a long text that a message shows."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>0[xX][0-9a-fA-F]+(?!\w)|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<quoted>`[^`]+`)
    | (?P<sign>&&|\|\||\*\*|<=|>=|==|!=|[-+*/%&|~<>=!(),])
    | (?P<word>[^\W\d][\w.]*)
    )""",
    re.VERBOSE,
)
_HYPHENS = re.compile(r"[^\W\d][\w.]*(?:-[\w.]+)+")

SIGNS = {"&&": " and ", "||": " or ", "!": " not ", "=": "=="}
WORDS = {"and": " and ", "or": " or ", "not": " not ", "in": " in "}
RESERVED = (*WORDS, "between")
"""Words that are no names of columns, unless they stand in backquotes."""


class MistakeError(UsageError):
    """A mistake in an expression whose place is told."""


class LooseWord(NamedTuple):
    """A name in an expression that is neither a column nor a function: perhaps that of a flag."""

    name: str


class ColumnName(NamedTuple):
    """The name of a column in an expression."""

    name: str


class Parsed(NamedTuple):
    """An expression that was parsed.

    Attributes
    ----------
    text : str
        As it was typed.
    tree : ast.expr
        Operators, calls and placeholders.
    leaves : dict of str to object
        Placeholder to what it stands for: a number, a text, a truth value, a `LooseWord` or a `ColumnName`.
    places : list of (int, int)
        Places in the text that Python parsed, and in what was typed, of each part.
    """

    text: str
    tree: ast.expr
    leaves: dict[str, Any]
    places: list[tuple[int, int]]

    def place_of(self, node: ast.AST) -> int:
        """Where a part of the tree stands in what was typed, from 0."""
        return self.place(getattr(node, "col_offset", 0))

    def place(self, offset: int) -> int:
        """Where a place of the text that Python parsed is in what was typed, from 0."""
        return max((typed for parsed, typed in self.places if parsed <= offset), default=0)


def fault(text: str, place: int, what: str, *, mend: str | None = None) -> MistakeError:
    """The error that something is wrong at a place of an expression.

    Parameters
    ----------
    text : str
        The expression.
    place : int
        Of the mistake, from 0.
    what : str
        What is wrong.
    mend : str, optional
        What to do about it.

    Returns
    -------
    MistakeError
        To be raised: it shows the text from that place, and says the place, counted from 1.
    """
    rest = text[place:].strip()
    shown = rest if len(rest) <= SHOWN else f"{rest[:SHOWN]}…"
    where = f"at {place + 1}, {shown!r}" if rest else "at the end"
    return MistakeError(f"{what} ({where})", mend=mend)


def parse(text: str, names: Collection[str], functions: Collection[str]) -> Parsed:
    """Parse an expression.

    Parameters
    ----------
    text : str
        As it was typed.
    names : collection of str
        Of the columns.
    functions : collection of str
        Names of what can be called.

    Returns
    -------
    Parsed

    Raises
    ------
    UsageError
        It is no expression.
    """
    if len(text) > LONGEST:
        raise UsageError(f"an expression of {len(text)} characters", mend=f"at most {LONGEST} are taken")
    tokens = _tokens(text, names)
    _refuse_too_much(text, tokens)
    _refuse_unfinished(text, tokens)
    parts, leaves, places, length = [], {}, [], 0
    for number, (kind, word, place) in enumerate(tokens):
        following = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        part = _part(text, (kind, word, place), following, functions)
        if not isinstance(part, str):
            leaves[f"_{number}"] = part[0]
            part = f" _{number} "
        places.append((length, place))
        length += len(part)
        parts.append(part)
    source = "".join(parts)
    parsed = Parsed(text, ast.Constant(None), leaves, places)
    try:
        tree = ast.parse(source.strip(" "), mode="eval").body
    except SyntaxError as error:
        offset = (error.offset or 1) - 1 + len(source) - len(source.lstrip(" "))
        raise fault(text, parsed.place(offset), "something is missing or too much here") from None
    except (RecursionError, MemoryError, ValueError):
        raise UsageError("the expression is too deep to be read") from None
    shift = len(source) - len(source.lstrip(" "))
    return Parsed(text, tree, leaves, [(parsed_at - shift, typed) for parsed_at, typed in places])


def _tokens(text, names):
    """(kind, word, place) of each part; ``between`` and its ``and`` are told apart."""
    tokens, place = [], 0
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None:
            start = len(text) - len(text[place:].lstrip())
            mend = "** is the power" if text[start] == "^" else None
            raise fault(text, start, "cannot be read", mend=mend)
        kind = str(token.lastgroup)  # each way through the pattern has a group
        word, end = token[kind], token.end()
        if kind == "word" and (longer := _HYPHENS.match(text, token.start(kind))):
            pieces = longer[0].split("-")
            joined = ("-".join(pieces[:count]) for count in range(len(pieces), 1, -1))
            word = next((name for name in joined if name in names), word)
            end = token.start(kind) + len(word)
        if kind == "word" and word in names and word.lower() not in RESERVED:
            kind = "column"
        tokens.append((kind, word, token.start(kind if kind != "column" else "word")))
        place = end
    return _with_betweens(tokens)


def _with_betweens(tokens):
    """Tokens in which ``between`` and the ``and`` that belongs to it are signs of their own."""
    open_ones, depth, found = [], 0, []
    for kind, word, place in tokens:
        low = word.lower() if kind == "word" else word
        depth += (low == "(") - (low == ")") if kind == "sign" else 0
        if kind == "word" and low == "between":
            open_ones.append(depth)
            kind, word = "sign", f" in {BETWEEN} == "
        elif (kind == "word" and low == "and") and open_ones and open_ones[-1] == depth:
            open_ones.pop()
            kind, word = "sign", " <= "
        found.append((kind, word, place))
    return found


def _refuse_too_much(text, tokens):
    if len(tokens) > MOST:
        raise UsageError(f"an expression of {len(tokens)} parts", mend=f"at most {MOST} are taken")
    depth = 0
    for kind, word, place in tokens:
        depth += (word == "(") - (word == ")") if kind == "sign" else 0
        if depth > DEEPEST:
            raise fault(text, place, f"more than {DEEPEST} parentheses in each other")


def _refuse_unfinished(text, tokens):
    """Refuse what ends early, and parentheses that do not go together: Python finds them, but not where."""
    open_ones = []
    for kind, word, place in tokens:
        if (kind, word) == ("sign", "("):
            open_ones.append(place)
        elif (kind, word) == ("sign", ")"):
            if not open_ones:
                raise fault(text, place, "a ) without its (")
            open_ones.pop()
    kind, word = tokens[-1][:2] if tokens else ("sign", "")
    if (kind == "sign" and word != ")") or (kind == "word" and word.lower() in WORDS):
        raise fault(text, len(text), "it ends early")
    if open_ones:
        raise fault(text, open_ones[-1], "a ( without its )")


def _part(text, token, following, functions):
    """What Python gets for a token: its text, or in a tuple what a placeholder stands for."""
    kind, word, place = token
    if kind == "sign":
        return SIGNS.get(word, word)
    if kind == "number":
        return (_number(text, word, place),)
    if kind == "text":
        return (word[1:-1],)
    if kind == "quoted" or (kind == "column" and following != "("):  # sep(…) is the function, also beside a column sep
        return (ColumnName(word.strip("`")),)
    low = word.lower()
    if low in WORDS:
        return WORDS[low]
    if following == "(":
        if low not in functions:
            from difflib import get_close_matches

            near = get_close_matches(low, functions, 1)
            mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(functions))}"
            raise fault(text, place, f"there is no function {word}", mend=mend)
        return low
    return (low == "true",) if low in ("true", "false") else (LooseWord(word),)


def _number(text, word, place):
    """A whole number of 64 bits, or a float64."""
    try:
        value = int(word, 16) if word[:2].lower() == "0x" else int(word)
        if value < 1 << 64:
            return value
    except ValueError:
        pass
    value = float(word) if word[:2].lower() != "0x" else float("inf")
    if value in (float("inf"), float("-inf")):
        raise fault(text, place, "a number that is too large")
    return value
