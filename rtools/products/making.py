"""What made a file, as it says itself, and whether the file is whole: of products of both missions, and catalogs.

Headers are read, not data, unless that is asked for: a thousand files take seconds.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rtools.errors import InputError
from rtools.products.forms import embedded, form_of, history_of, read_tree
from rtools.products.io import checksums, digest
from rtools.products.io.fits_headers import read_headers
from rtools.products.io.header import read_outline
from rtools.products.io.recording import JOB_OF_IMAGE, JOB_OF_TABLE
from rtools.products.opening import mission_of, open_any
from rtools.products.schema import keys
from rtools.products.schema.yamltext import bounded
from rtools.remote import parts

__all__ = ["check_data", "fingerprint_of", "history_of_file", "job_of"]

FINGERPRINTS = {
    "asdf": re.compile(rb"\n    rtools:\n      job:\n(?:        [^\n]*\n)*?        fingerprint: '?([0-9a-f]{32})"),
    "fits": re.compile(rb"HISTORY rtools job ([0-9a-f]{32})"),
    "ecsv": re.compile(rb"rtools\.job.{0,99}?fingerprint\W+([0-9a-f]{32})", re.DOTALL),
}
"""Where the fingerprint stands, by form."""

STORED = re.compile(rb"\bsource: \d")
"""Of a tree that names blocks."""

INDEX = b"#ASDF BLOCK INDEX"
"""Stands at the end of every ASDF file of rtools."""

LONGEST_INDEX = 1 << 16

JOBS_OF_TABLES = (f"roman.meta.{JOB_OF_TABLE}", JOB_OF_TABLE)
"""Keys of flat metadata at which the job stands: of a product's catalog, and of any other table."""


def fingerprint_of(path: str | Path) -> str | None:
    """The fingerprint of the job that made a file; None where it says nothing of that.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    str or None

    Raises
    ------
    InputError
        The file is missing, truncated or damaged, as far as headers tell.
    """
    form = form_of(path)
    if form == "asdf":
        text, blocks = read_outline(path)
        if blocks or STORED.search(text):
            _refuse_without_index(path)
        match = FINGERPRINTS[form].search(text)
    elif form == "fits":
        match = (FINGERPRINTS[form].findall(read_headers(path)[0].text) or [None])[-1]
        return None if match is None else match.decode()
    elif form == "parquet":
        found = (_parquet_job(path) or {}).get("fingerprint")
        return None if found is None else str(found)
    elif form == "ecsv":
        text = Path(path).read_bytes()
        if not text.endswith(b"\n"):
            raise InputError("truncated: its last line has no end", path=path)
        match = FINGERPRINTS[form].search(text)
    else:
        return None
    return None if match is None else match[1].decode()


def _refuse_without_index(path):
    with parts.open_parts(path) as file:
        size = file.seek(0, 2)
        file.seek(max(size - LONGEST_INDEX, 0))
        if INDEX not in file.read():
            raise InputError("truncated: it has no index of its blocks", path=path)


def _parquet_job(path):
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        told = read_metadata(str(path)).metadata or {}
    except (ArrowException, OSError) as error:
        raise InputError(f"not a parquet file that can be read ({' '.join(str(error).split())[:120]})",
                         path=path) from None  # fmt: skip
    text = next(filter(None, (told.get(key.encode()) for key in JOBS_OF_TABLES)), None)
    return None if text is None else _of_json(text)


def _of_json(text):
    try:
        found = bounded(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return _if_sound(found)


def _if_sound(job):
    """A record of a job, where its parts are what they are in one; None where a file says something else there."""
    if not isinstance(job, dict) or "tool" not in job:
        return None
    lists = [job.get(key) or [] for key in ("inputs", "arguments", "companions")]
    mappings = [job.get(key) or {} for key in ("files", "options", "references", "results")]
    if not all(isinstance(one, list) for one in lists) or not all(isinstance(one, dict) for one in mappings):
        return None
    blocks = [*lists[0], *mappings[0].values(), *mappings[1].values(), *mappings[2].values()]
    return job if all(isinstance(one, dict) for one in blocks) else None


def job_of(path: str | Path) -> dict[str, Any] | None:
    """What a file says of the job that made it; None where it says nothing.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict or None
        Plain values, as `rtools.products.schema.record.JobRecord.beside` made them.

    Raises
    ------
    InputError
        The file is missing or damaged, or of a form that has no metadata.
    """
    form = form_of(path)
    if form == "parquet":
        return _parquet_job(path)
    if form == "fits" and (card := _card_of_job(path)):
        return _of_json(str(card))
    tree = _tree_of_fits(path) if form == "fits" else keys.bare(read_tree(path))
    meta = tree.get("meta")
    block = (meta.get("rtools") if isinstance(meta, dict) else None) or tree.get("rtools")
    job = block.get("job") if isinstance(block, dict) else tree.get(JOB_OF_TABLE)
    if isinstance(job, str):
        return _of_json(job)
    return _if_sound(job)


def _card_of_job(path):
    """The card that says which job made an image, or a table; None where the file has no such card."""
    cards = (hdu.values.get(key) for hdu in read_headers(path) for key in (JOB_OF_IMAGE, *JOBS_OF_TABLES))
    return next(filter(None, cards), None)


def _tree_of_fits(path):
    with _opened_fits(path) as product:
        return {} if product is None else keys.bare(product.tree)


def _opened_fits(path):
    """A product of JWST, or that of Roman which rt-fits has put into FITS."""
    return open_any(path) if mission_of(path) == "jwst" else embedded(path)


def history_of_file(path: str | Path) -> list[dict[str, Any]]:
    """What was done to a file of either mission, as it says itself.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    list of dict
        Entries, oldest first; none where it has no history.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
    if form_of(path) != "fits":
        return history_of(path)
    with _opened_fits(path) as product:
        return [] if product is None else [keys.bare(one) for one in product.history]


def check_data(path: str | Path) -> None:
    """Read all data of a file and compare them with the checksums that it keeps.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    InputError
        They differ, or cannot be read.
    """
    form = form_of(path)
    if form == "asdf":
        _check_blocks(path)
    elif form == "fits":
        hdus = read_headers(path)
        known = digest.find_data_digest(path, hdus)
        spans = [(hdu.data, hdu.end) for hdu in hdus if str(hdu.values.get("EXTNAME", "")).strip().upper() != "ASDF"]
        if known is not None and digest.sum_of_spans(path, spans) != known:
            raise InputError("its data are not those that were written", path=path)
    elif form in ("parquet", "ecsv"):
        from rtools.products.tables.files import read_catalog

        read_catalog(path)


def _check_blocks(path):
    blocks = read_outline(path)[1]
    with open(path, "rb") as file:
        for number, block in enumerate(blocks):
            known = block.checksum
            if known != checksums.NO_CHECKSUM and checksums.md5_of(file.fileno(), block) != known:
                raise InputError(f"block {number} is not what was written (MD5)", path=path)
