"""Files as damage and malice make them: seeded changes of real ones, each with a word that says what was done."""

import json
import random
import re
import struct

from tests.support.malice import (
    ARRAY_VALUES,
    CARD_VALUES,
    CARDS,
    MALICE,
    NUMBERS,
    OUTSIDE,
    SIZES,
    WORDS,
)

__all__ = ["generator", "mutated"]


def mutated(data, kind, rng, box):
    """A changed copy of a file.

    Parameters
    ----------
    data : bytes
        The file.
    kind : str
        How its name ends: asdf, fits, parquet, ecsv, json, jsonl, toml.
    rng : random.Random
        Says what is changed.
    box : os.PathLike
        The directory out of which malicious names lead.

    Returns
    -------
    word : str
        What was done.
    data : bytes
    """
    change = rng.choice((*BYTES, *OF_KIND.get(kind, ())))
    made = change(data, rng, box)
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        made = rng.choice((*BYTES[:1], *OF_KIND.get(kind, ())))(made, rng, box)
    return change.__name__.removeprefix("_"), made


def _flip(data, rng, _box):
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 64))):
        place = _place(data, rng)
        changed[place : place + 1] = bytes([rng.randrange(256)])
    return bytes(changed)


def _place(data, rng):
    """Headers and trailers matter more than the data between them."""
    longest = rng.choice((200, 4000, len(data), len(data)))
    place = rng.randrange(max(1, min(len(data), longest)))
    return place if rng.random() < 0.8 else max(0, len(data) - 1 - place)


def _truncate(data, rng, _box):
    return data[: _place(data, rng)]


def _insert(data, rng, _box):
    place = _place(data, rng)
    return data[:place] + rng.choice((b"\0", b"\n", b"\xff\xfe", b"x" * 2880, rng.randbytes(100))) + data[place:]


def _delete(data, rng, _box):
    place = _place(data, rng)
    return data[:place] + data[place + rng.choice((1, 2, 80, 2880, 5000)) :]


def _duplicate(data, rng, _box):
    place, length = _place(data, rng), rng.choice((1, 80, 2880, 20_000))
    return data[: place + length] + data[place:]


def _overwrite(data, rng, _box):
    place, length = _place(data, rng), rng.choice((4, 80, 600))
    return data[:place] + rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length))) + data[place + length :]


def _swap(data, rng, _box):
    one, two = sorted((_place(data, rng), _place(data, rng)))
    length = min(rng.choice((8, 80, 2880)), two - one)
    parts = (
        data[:one],
        data[one : one + length],
        data[one + length : two],
        data[two : two + length],
        data[two + length :],
    )
    return b"".join((parts[0], parts[3], parts[2], parts[1], parts[4]))


BYTES = (_flip, _truncate, _insert, _delete, _duplicate, _overwrite, _swap)
LINE = re.compile(rb"^([ #-]*[\w.<>]+: ?)(.+)$", re.M)
STRUCTURE = re.compile(rb"\b((?:shape|source|datatype|offset|strides|byteorder): ?)(\[[^\]\n]*\]|\S+)")


def _value(rng, box):
    return rng.choice(rng.choice((NUMBERS, OUTSIDE, WORDS, MALICE))).format(box=box).encode()


def _tree(data, rng, box):
    """Another value of a line of YAML."""
    found = _lines(data, LINE)
    return _put(data, rng.choice(found), _value(rng, box)) if found else data


def _tree_key(data, rng, _box):
    """A line of YAML that is gone, comes twice, or stands a level deeper."""
    found = _lines(data, LINE)
    if not found:
        return data
    one = rng.choice(found)
    return (
        data[: one.start()]
        + rng.choice((b"", one[0] + b"\n" + one[0], b"  " + one[0], b"? " + one[0]))
        + data[one.end() :]
    )


def _array(data, rng, _box):
    """Another shape, datatype or block of an array."""
    found = _lines(data, STRUCTURE)
    return _put(data, rng.choice(found), rng.choice(ARRAY_VALUES).encode()) if found else data


def _lines(data, pattern):
    return list(pattern.finditer(data, 0, max(1 << 18, 0)))


def _put(data, found, value):
    return data[: found.start(2)] + value + data[found.end(2) :]


def _block(data, rng, _box):
    """Another size, compression or checksum in the header of an ASDF block."""
    places = [found.start() for found in re.finditer(rb"\xd3BLK", data)]
    if not places:
        return data
    changed, place = bytearray(data), rng.choice(places)
    what = rng.choice(("head", "flags", "compression", "allocated", "used", "size", "checksum", "lz4"))
    size = rng.choice(SIZES)
    offset = {
        "head": 4,
        "flags": 6,
        "compression": 10,
        "allocated": 14,
        "used": 22,
        "size": 30,
        "checksum": 38,
        "lz4": 54,
    }[what]
    new = {
        "head": struct.pack(">H", size & 0xFFFF),
        "flags": struct.pack(">I", size & 0xFFFFFFFF),
        "checksum": bytes(16),
        "compression": rng.choice((b"\0\0\0\0", b"lz4\0", b"zlib", b"bzp2", b"blsc", b"\xff\x00ab")),
        "lz4": struct.pack(">I", size & 0xFFFFFFFF) + struct.pack("<I", rng.choice(SIZES) & 0xFFFFFFFF),
    }
    new = new.get(what, struct.pack(">Q", size))
    changed[place + offset : place + offset + len(new)] = new
    return bytes(changed)


def _card(data, rng, _box):
    """A card of a FITS header that says something else, is gone, or comes again."""
    cards = [
        place
        for place in _cards(data)
        if rng.random() < 0.2 or data[place : place + 8].decode("latin1").strip() in CARDS
    ]
    if not cards:
        return data
    place = rng.choice(cards)
    name = data[place : place + 8]
    card = rng.choice(
        (name + b"= " + rng.choice(CARD_VALUES).encode(),) * 6 + (b"", name, rng.randbytes(80), b"CONTINUE  'x&'")
    )
    return data[:place] + card.ljust(80)[:80] + data[place + 80 :]


def _cards(data):
    """Where each card of a FITS header stands."""
    inside = False
    for block in range(0, len(data), 2880):
        inside = inside or data[block : block + 6] == b"SIMPLE" or data[block : block + 8] == b"XTENSION"
        for place in range(block, block + 2880, 80) if inside else ():
            if data[place : place + 8] == b"END     ":
                inside = False
                yield place
                break
            yield place


def _fits_tree(data, rng, box):
    """Another value in the tree that a FITS file holds, as long as the old one."""
    start = data.rfind(b"#ASDF")
    found = [*LINE.finditer(data, start), *STRUCTURE.finditer(data, start)] if start >= 0 else []
    if not found:
        return data
    one = rng.choice(found)
    value = rng.choice((_value(rng, box), rng.choice(ARRAY_VALUES).encode()))[: len(one[2])]
    return _put(data, one, value.ljust(len(one[2])))


def _footer(data, rng, _box):
    """Another length of the metadata of a parquet file, or other bytes in them."""
    if rng.random() < 0.2:
        return data[:-8] + struct.pack("<I", rng.choice(SIZES) & 0xFFFFFFFF) + data[-4:]
    length = struct.unpack("<I", data[-8:-4])[0] if len(data) > 12 else 0
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8))):
        place = max(0, len(data) - 8 - rng.randrange(1, max(2, min(length, len(data) - 8))))
        changed[place : place + 1] = bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))])
    return bytes(changed)


def _cell(data, rng, _box):
    """Another cell of a table in text."""
    lines = data.split(b"\n")
    number = rng.randrange(len(lines))
    cells = lines[number].split(b" ")
    new = rng.choice(("nan", "1e999", "x", '""', "-1", "1 2 3", "[1,2]", "9" * 50, '"', "True", "\x1b[2J")).encode()
    cells[rng.randrange(len(cells))] = new
    lines[number] = b" ".join(cells)
    return b"\n".join(lines)


def _node(data, rng, box):
    """Another node of a JSON document; of JSON lines, in one of them."""
    lines = data.splitlines() if b"\n{" in data.strip()[1:] and not data.strip().startswith(b"[") else [data]
    number = rng.randrange(len(lines))
    try:
        tree = json.loads(lines[number])
    except ValueError:
        return data
    places = list(_places(tree))
    if not places:
        return data
    holder, key = rng.choice(places)
    texts = [
        word.format(box=box)
        for word in (*OUTSIDE, *OUTSIDE, "<script>alert(1)</script>", "a\0b", "a\nb", "\x1b[2J", "")
    ]
    deep: list = []
    for _ in range(500):
        deep = [deep]
    holder[key] = rng.choice(
        (*texts, None, True, -1, 10**40, float("nan"), float("inf"), [], {}, [None], {"x": {}}, "x" * 5000, deep)
    )
    lines[number] = json.dumps(tree).encode()
    return b"\n".join(lines)


def _places(tree):
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(value)


OF_KIND = {
    "asdf": (_tree, _tree, _tree, _tree_key, _array, _array, _block, _block),
    "fits": (_card, _card, _card, _card, _fits_tree, _fits_tree),
    "parquet": (_footer, _footer, _footer),
    "ecsv": (_tree, _tree, _tree_key, _cell, _cell),
    "json": (_node, _node, _node, _node),
    "jsonl": (_node, _node, _node, _node),
    "lock": (_node, _node, _node, _node),
    "toml": (),
}
"""How a file ends to changes of what it means; they come beside those of its bytes."""


def generator(*words):
    """A generator of random numbers for a case."""
    return random.Random(" ".join(map(str, words)))
