"""What differs between two files as lines of text, for rt-diff."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rtools.products.edit.section import FRAMES
from rtools.products.schema.flag_tables import bits_of_mission
from rtools.show import differences
from rtools.show.table import aligned
from rtools.wfi import dq

if TYPE_CHECKING:
    from rtools.products.edit.file_comparison import FileDifferences

__all__ = ["difference_lines", "plain"]

SHORT = 60
"""Characters of a metadata value."""


def difference_lines(found: FileDifferences, *, brief: bool = False) -> Iterator[str]:
    """Lines that tell what differs, a count of all in the last.

    Parameters
    ----------
    found : rtools.products.edit.file_comparison.FileDifferences
        With ``statistics`` beside each array or column that was measured.
    brief : bool
        Tell no single keys; of rows how many only one catalog has.

    Yields
    ------
    str
    """
    for entry in found.metadata:
        if not brief or "count" in entry:
            yield _key_line(entry)
    columns = {}
    for entry in found.arrays:
        statistics = entry.get("statistics")
        if "only_in" in entry:
            yield _key_line(entry)
            continue
        if isinstance(statistics, dict):
            columns[entry["array"]] = statistics
        if not (brief and entry["array"] in columns):
            yield from _array_lines(entry, bits_of_mission(found.mission, entry["array"]))
        if statistics is not None and not isinstance(statistics, dict):
            yield from (f"  {line}" for line in differences.image_lines(statistics))
    yield from differences.column_lines(columns)
    keys, arrays = len(found.metadata), len(found.arrays)
    what = found.what if arrays == 1 else f"{found.what}s"
    yield f"differ: {keys} {'key' if keys == 1 else 'keys'}, {arrays} {what}"


def _key_line(found):
    """What is told of a key, or of what only one has."""
    name = found.get("key") or found["array"]
    if "only_in" not in found:
        return f"{name}: {' | '.join(_pair(found['a'], found['b']))}"
    side = found["only_in"]
    count = f" {found['count']}" if "count" in found else ""
    return f"{name}:{count} only in {side.upper()}: {_text(found[side])}"


def _array_lines(found, bits):
    name = found["array"]
    for what in ("shape", "dtype"):
        if what in found:
            yield f"{name}: {what} {found[what][0]} | {found[what][1]}"
    if not found.get("differing"):
        return
    times = found.get("unit") == "s"
    share = 100 * found["differing"] / found["size"]
    line = f"{name}: {found['differing']} of {found['size']} values differ ({share:.3g} %)"
    if found["largest"] is not None:
        line += f", by {found['largest']:.6g}{' s' if times else ''} at most"
    if found["largest_relative"] is not None:
        line += f" (relative {found['largest_relative']:.3g})"
    if found["one_nan"]:
        line += f", {found['one_nan']} {'null' if times else 'NaN'} in one only"
    yield line
    for flag, (only_a, only_b) in found.get("flags", {}).items():
        yield f"  {flag}: {only_a} in A only, {only_b} in B only"
    yield from _worst_lines(found["worst"], bits)


def _worst_lines(worst, bits):
    """Pixels, x first, a plane of a cube last; with names of flags if there are `bits`."""
    if not worst:
        return
    axes = _axes(worst[0])
    others = [frame for frame in FRAMES if frame in worst[0] and worst[0][frame] != worst[0]["index"][:-3:-1]]
    rows = []
    for pixel in worst:
        place = [pixel[axis] for axis in axes] if axes[0] in pixel else pixel["index"][::-1]
        place = place if len(place) == len(axes) else ["/".join(map(str, pixel["index"]))]
        if "seconds" in pixel:
            values = [
                pixel["a"] or "null",
                pixel["b"] or "null",
                "-" if pixel["seconds"] is None else _number(pixel["seconds"]),
            ]
        elif bits is None:
            values = [_number(pixel["a"]), _number(pixel["b"]), _gap(pixel["a"], pixel["b"])]
        else:
            values = [",".join(dq.names(pixel[side], bits)) or "GOOD" for side in ("a", "b")]
        rows.append([*map(str, place), *(str(n) for frame in others for n in pixel[frame]), *values])
    numbers = [f"{axis}_{frame}" for frame in others for axis in "xy"]
    head = [*axes, *numbers, "A", "B", *(["B - A"] if bits is None else [])]
    for line in aligned(head, rows, labels=0, width=10**6):
        yield f"  {line}"


def _axes(entry):
    """Names of what says where a value is."""
    source = [key for key in entry if key not in ("index", "a", "b", "seconds", *FRAMES)]
    if "seconds" in entry:
        return ["item"]
    axes = ["x", "y", "plane"][: len(entry["index"])] if len(entry["index"]) < 4 else ["index"]
    return source or axes


def _gap(one, two):
    return _number(two - one) if all(isinstance(value, int | float | complex) for value in (one, two)) else "-"


def _number(value):
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _pair(one, two):
    """Two values as short texts, where they begin to differ if they are long."""
    texts = [_whole(value) for value in (one, two)]
    alike = next((n for n, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), min(map(len, texts)))
    begin = max(0, alike - SHORT // 3) if alike > SHORT - 10 else 0
    return [("…" if begin else "") + _text(text[begin:]) for text in texts]


def _text(value):
    text = _whole(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _whole(value):
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    return text.replace("\n", "\\n")


def plain(node: Any) -> Any:
    """What JSON can hold: numbers that are not finite, and complex ones, as text."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [plain(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        return str(node)
    return node if node is None or isinstance(node, bool | int | float | str) else str(node)
