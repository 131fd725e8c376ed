"""Names of files for tables: what all have in common stands once."""

import re
from collections.abc import Sequence
from itertools import takewhile

__all__ = ["shortened"]


def shortened(names: Sequence[str]) -> tuple[str, list[str]]:
    """What differs between names of files.

    Parameters
    ----------
    names : sequence of str
        Paths, each once.

    Returns
    -------
    pattern : str
        What they have in common, with a ``*`` for the rest; the name itself where there is one.
    parts : list of str
        What stands for the ``*`` in each. Names are cut at slashes, underlines and full stops only.
    """
    if len(names) < 2:
        return "".join(names), list(names)
    words = [re.findall(r"[^_/.]+|[_/.]", name) for name in names]
    before = _common(words)
    after = _common([each[: before - 1 if before else None : -1] for each in words])
    parts = ["".join(each[before : len(each) - after]) for each in words]
    head, tail = words[0][:before], words[0][len(words[0]) - after :]
    return f"{''.join(head)}*{''.join(tail)}", parts


def _common(words):
    """How many words all begin with."""
    return sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False)))
