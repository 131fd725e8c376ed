"""Reference stars from the Gaia archive: the one module that uses the network, and only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from rtools.errors import RtoolsError
from rtools.products.refcat import files as refcat_files

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["TABLE", "download", "query"]

TABLE = "gaiadr3.gaia_source"


def query(cone: tuple[float, float, float], limit: float | None = None) -> str:
    """The question (ADQL) for the stars of Gaia DR3 in a cone.

    Parameters
    ----------
    cone : (float, float, float)
        Right ascension, declination, radius, in degrees.
    limit : float, optional
        Faintest G magnitude; all stars by default.

    Returns
    -------
    str
        The question.
    """
    ra, dec, radius = cone
    where = f"1 = CONTAINS(POINT(ra, dec), CIRCLE({ra:.9f}, {dec:.9f}, {radius:.9f}))"
    if limit is not None:
        where += f" AND phot_g_mean_mag < {limit:g}"
    return f"SELECT {', '.join(refcat_files.COLUMNS)} FROM {TABLE} WHERE {where}"


def download(
    cone: tuple[float, float, float], *, limit: float | None = None, client: Callable[[str], AstropyTable] | None = None
) -> AstropyTable:
    """The stars of Gaia DR3 in a cone.

    Parameters
    ----------
    cone : tuple of float
        Right ascension, declination, radius, in degrees.
    limit : float, optional
        Faintest G.
    client : callable, optional
        Returns the table that answers a question in ADQL; by default by way of astroquery (extra ``gaia``).

    Returns
    -------
    astropy.table.Table
        As `rtools.products.refcat.files.read`.

    Raises
    ------
    RtoolsError
        astroquery is not installed, or the archive does not answer.
    """
    client = client or _astroquery()
    try:
        table = client(query(cone, limit))
    except Exception as error:  # a client of HTTP and VOTable raises whatever it likes
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        mend = "a local catalog (rt-refcat make, --refcat) needs no network"
        raise RtoolsError(f"the Gaia archive does not answer ({reason})", mend=mend) from error
    return refcat_files.standard(table, TABLE)


def _astroquery():
    try:
        with redirect_stdout(sys.stderr):  # it talks, even when it is imported
            from astroquery.gaia import GaiaClass
    except ImportError:
        raise RtoolsError("astroquery is not installed", mend="pip install 'roman-rtools[gaia]'") from None

    def ask(question):
        with redirect_stdout(sys.stderr):
            return GaiaClass(show_server_messages=False).launch_job_async(question).get_results()

    return ask
