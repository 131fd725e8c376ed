"""Whether a file is whole: block index, checksums of the blocks, compressed blocks that can be entered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import yaml

from rtools.errors import InputError
from rtools.findings import Finding, error, warning
from rtools.products.io.checksums import NO_CHECKSUM, md5_of
from rtools.products.io.header import BLOCK_MAGIC
from rtools.products.schema.yamltext import FastLoader, load_bounded
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["check_blocks", "check_index"]

INDEX = b"#ASDF BLOCK INDEX"
LONGEST_TAIL = 1 << 20


def check_index(product: Product) -> list[Finding]:
    """Whether what follows the last block is an index that names the blocks where they are; none at all is allowed.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; the end of its file is read.

    Returns
    -------
    list of rtools.findings.Finding
        At most one warning.
    """
    table = product.blocks
    if not table:
        return []
    with open(product.path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        last = table[-1].offset + table[-1].used
        file.seek(max(last, size - LONGEST_TAIL))
        tail = file.read()
        place = tail.rfind(INDEX)
        if place < 0:
            left = tail.strip(b"\0\r\n ")
            return [warning("blocks", "the block index", f"{len(left)} bytes that are not part of it")] if left else []
        try:
            offsets = load_bounded(tail[place + len(INDEX) :], FastLoader)
            found = [_data_offset(file, int(offset)) for offset in offsets]
        except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError):
            return [warning("blocks", "the block index", "damaged or cut off")]
    if found != [block.offset for block in table]:
        return [warning("blocks", "the block index", "it does not name the blocks where they are")]
    return []


def _data_offset(file, offset):
    """Where the data of a block begin whose header is at `offset`; None where there is none."""
    file.seek(offset)
    head = file.read(6)
    return offset + 6 + int.from_bytes(head[4:], "big") if head[:4] == BLOCK_MAGIC else None


def check_blocks(product: Product, work: Work = ALONE) -> list[Finding]:
    """Compare every block with its checksum, and enter the compressed ones; blocks without a checksum are decoded.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; all of its blocks are read.
    work : rtools.work.Work
        Its threads take checksums and decode.

    Returns
    -------
    list of Finding
    """
    owners: dict[int, str] = {}
    for path, info in product.arrays.items():
        if info.block is not None:
            owners.setdefault(info.block.offset, path)
    found, broken = [], set()
    stated = [(number, block) for number, block in enumerate(product.blocks) if block.checksum != NO_CHECKSUM]
    with open(product.path, "rb") as file:
        sums = work.each(lambda entry: md5_of(file.fileno(), entry[1]), stated)
        for (number, block), checksum in zip(stated, sums, strict=True):
            if checksum != block.checksum:
                broken.add(block.offset)
                where = owners.get(block.offset, f"block {number}")
                found.append(error("checksum", where, f"the bytes of block {number} are not those of its MD5"))
    for offset, path in owners.items():
        if offset not in broken:
            found += _entered(product, path, work)
    return found


def _entered(product, path, work):
    """Read what must be readable: the first row, whose chunks have to add up; all of it where no checksum vouches."""
    info = product.arrays[path]
    if not info.compression or 0 in info.shape:
        return []
    try:
        if info.block.checksum == NO_CHECKSUM:
            product.array(path, work)
        elif info.shape:
            product.rows(path, 0, 1)
    except InputError as problem:
        return [error("checksum", path, problem.message)]
    return []
