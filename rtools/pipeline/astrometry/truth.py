"""A reference catalog from the truth of simulated exposures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.products.refcat import hats
from rtools.products.refcat.files import COLUMNS

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["epoch_of", "gaia_of_truth"]

ID_ORDER = 12
"""Order of the healpix cell in a source_id, as Gaia's have it."""


def gaia_of_truth(
    paths: Sequence[Path | str],
    *,
    epoch: float | None = None,
    seed: int = 0,
    exact: bool = False,
    limit: float | None = None,
) -> Table:
    """What Gaia would list of the stars in truth tables of rt-sim.

    Parameters
    ----------
    paths : sequence of Path or str
        Tables; a star that several have is listed once.
    epoch : float, optional
        Julian year of the positions; by default the middle of the exposures, which lie beside their tables.
    seed, exact
        As `rtools.astrometry.gaia.listed`.
    limit : float, optional
        Faintest G; by default that of Gaia.

    Returns
    -------
    astropy.table.Table
        As `rtools.products.refcat.files.read` gives it.

    Raises
    ------
    InputError
        No such tables, or nothing tells the epoch.
    """
    from astropy.table import Table

    from rtools.astrometry import gaia
    from rtools.simulate.files import read_sources

    stars = []
    for path in paths:
        sources = read_sources(path, "")
        star = sources.sersic == 0
        stars.append(np.stack([sources.ra[star] % 360, sources.dec[star], sources.magnitude[star]]))
    epoch = _common_epoch(paths) if epoch is None else epoch
    ra, dec, magnitude = np.unique(np.concatenate(stars, axis=1), axis=1)
    bright = magnitude < (gaia.FAINTEST if limit is None else limit)
    columns = gaia.listed(ra[bright], dec[bright], magnitude[bright], epoch, seed=seed, exact=exact)
    place = hats.cells(columns["ra"], columns["dec"], ID_ORDER) if bright.any() else np.zeros(0, np.int64)
    columns["source_id"] = (place << 35) + np.arange(len(place))
    table = Table({name: columns[name] for name in COLUMNS})
    for name, unit in COLUMNS.items():
        table[name].unit = unit
    return table


def _common_epoch(paths):
    """Julian year of the exposures beside truth tables; those of one catalog are of one day."""
    epochs = [epoch_of(path) for path in paths]
    if max(epochs) - min(epochs) > 1 / 365.25:
        raise InputError("truth tables of more than one day", mend="--epoch says the epoch of their positions")
    return float(np.mean(epochs))


def epoch_of(path: Path | str) -> float:
    """Julian year of the middle of the exposure that a truth table lies beside.

    Parameters
    ----------
    path : Path or str
        The table, ``STEM_truth``; the exposure is ``STEM_uncal.asdf`` in the same directory.

    Returns
    -------
    float
        Julian year.

    Raises
    ------
    InputError
        There is no such exposure.
    """
    from rtools.astrometry.refcat import julian_year
    from rtools.products.io import open_product
    from rtools.wfi.metadata import exposure_mjd

    path = Path(path)
    exposure = path.with_name(f"{path.stem.removesuffix('_truth')}_uncal.asdf")
    if not exposure.exists():
        mend = "--epoch says the epoch of its positions (a Julian year)"
        raise InputError(f"no exposure beside it ({exposure.name})", mend=mend, path=path)
    with open_product(exposure) as product:
        return float(julian_year(sum(exposure_mjd(product.meta)) / 2))
