"""File names of Roman and of JWST: taken apart, and made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtools.products.names import Name

__all__ = ["build_name", "parse_name"]


def parse_name(text: str | Path, *, lenient: bool = False) -> Name:
    """Take the name of a product apart.

    Parameters
    ----------
    text : str or Path
        A file name, with or without extension and suffix; a directory before it is ignored.
    lenient : bool
        Also take older spellings, as ``dq_init``.

    Returns
    -------
    rtools.products.names.Name
        Fields are attributes, None where the name has none: ``name.detector``, ``name.element``, ``name.suffix``;
        ``name.as_dict()`` has them all. ``name.mission`` is ``roman`` or ``jwst``.

    Raises
    ------
    InvalidName
        It is not a name of either mission; the message says where it goes wrong.

    Examples
    --------
    >>> import rtools
    >>> name = rtools.parse_name("r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> name.program, name.detector, name.element, name.suffix
    ('00001', 'wfi01', 'f158', 'cal')
    >>> name = rtools.parse_name("jw02586-o173_t035_nircam_f212n-wlm8-nrca3_i2d.fits")
    >>> name.target, name.instrument, name.optics, name.stage
    ('t035', 'nircam', 'f212n-wlm8-nrca3', '3')
    """
    from rtools.products.names import parse

    return parse(str(text), lenient=lenient)


def build_name(**fields: str | int) -> str:
    """Make a name of its fields; the contrary of `parse_name`.

    Parameters
    ----------
    **fields : str or int
        As `rtools.products.names.FIELDS` lists them: ``visit_id`` or its parts (``program``, ``plan``, ``pass``,
        ``segment``, ``observation``, ``visit``), ``exposure``, ``detector``, ``element``, ``suffix``; of a mosaic
        ``program``, ``release``, ``subset``, ``skycell``, ``element``. Fields of JWST, as
        `rtools.products.names.JWST_FIELDS` lists them, make a name of JWST. Numbers are padded with zeros.

    Returns
    -------
    str
        A file name with a suffix, a root without.

    Raises
    ------
    UsageError
        A field is unknown or missing.
    InvalidName
        The fields make no name of either mission.

    Examples
    --------
    >>> import rtools
    >>> rtools.build_name(visit_id="0000101001001001001", exposure=1, detector="WFI01", element="F158", suffix="cal")
    'r0000101001001001001_0001_wfi01_f158_cal.asdf'
    """
    from rtools.products.names import build

    return build(fields)
