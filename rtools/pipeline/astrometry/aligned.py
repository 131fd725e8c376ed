"""What came of an alignment: into the metadata of an image, into its catalog, into a table of matches, into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.pipeline.astrometry.align import Outcome
from rtools.products.names.extensions import table_form
from rtools.products.schema import history
from rtools.products.tables import files as catalogs
from rtools.products.tables.files import read_catalog
from rtools.wfi.sphere import s_region

if TYPE_CHECKING:
    from pathlib import Path

    from gwcs import WCS

    from rtools.astrometry.align import Alignment
    from rtools.products.io.staging import Stage

__all__ = ["record", "stage_matches", "stage_updated", "told"]


def told(alignment: Alignment) -> str:
    """What to say of an alignment.

    Parameters
    ----------
    alignment : rtools.astrometry.align.Alignment
        What came of it, for all images of its group.

    Returns
    -------
    str
        One line: why it failed; or matches, rms, shift, rotation and predicted error.
    """
    if alignment.status != "COMPLETE":
        return f"tweakreg: FAILED: {alignment.reason}; the WCS stays as it was"
    results = alignment.results
    dx, dy = results["shift"]
    return (
        f"tweakreg: {results['nmatches']} of {alignment.stars} stars, rmse {1000 * results['rmse']:.2f} mas, "
        f"{results['fitgeom']}, shift {dx:.4f} {dy:.4f} arcsec, rotation {results['proper_rot']:.5f} degrees, "
        f"error at most {alignment.error_mas:.2f} mas"
    )


def record(meta: dict[str, Any], alignment: Alignment, number: int) -> None:
    """Write the outcome for one image into its metadata.

    Parameters
    ----------
    meta : dict
        Changed: `wcs`, `wcsinfo.s_region`, `wcs_fit_results`, `cal_step.tweakreg`. A failure leaves the WCS alone.
    alignment : rtools.astrometry.align.Alignment
        What came of the group.
    number : int
        Of the image in the group, from 0.
    """
    from rtools.astrometry.wcs import footprint

    meta["wcs_fit_results"] = alignment.results
    meta.setdefault("cal_step", {})["tweakreg"] = alignment.status
    if alignment.status != "COMPLETE":
        return
    meta["wcs"] = alignment.wcs[number]
    region = s_region(footprint(meta["wcs"]))
    if region is not None:
        meta["wcsinfo"]["s_region"] = region


def stage_updated(outcome: Outcome, wcs: WCS, tool: str) -> Stage:
    """Write the catalog that served an alignment again, under a temporary name, with its sky positions by the new WCS.

    Parameters
    ----------
    outcome : rtools.pipeline.astrometry.align.Outcome
        Of an image whose sources are from a file.
    wcs : gwcs.WCS
        The corrected one.
    tool : str
        The command, for the history.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be given its name, which replaces the catalog.
    """
    from rtools.catalog.source_catalog import place_on_sky

    path = outcome.members[outcome.number].catalog
    if path is None:
        raise ValueError("the sources of this image are not from a file")
    table = read_catalog(path)
    place_on_sky(table, wcs)
    # by its name alone: of a group the catalog lies in a temporary directory until all have their names
    catalogs.stamp(table, path, history.entry(tool, inputs=[path.name], is_edit=True))
    return catalogs.stage_catalog(path, table, table_form(path))


def stage_matches(path: str | Path, outcome: Outcome) -> Stage:
    """Write the table of matches of a group under a temporary name.

    Parameters
    ----------
    path : str or Path
        Its extension says the format.
    outcome : rtools.pipeline.astrometry.align.Outcome
        Of any of its images.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be given its name. The table has a row for each match, and none where nothing matched.
    """
    from astropy.table import Table

    matches, members, stars = outcome.alignment.matches, outcome.members, outcome.stars
    table = Table()
    none = np.zeros(0, int)
    which, sources, reference = (none,) * 3 if matches is None else (matches.image, matches.source, matches.reference)
    table["image"] = np.array([members[number].name for number in which], dtype=str)
    rows = [(members[number], row) for number, row in zip(which, sources, strict=True)]
    table["label"] = np.array([row if one.labels is None else one.labels[row] for one, row in rows], np.int32)
    for name in ("x", "y"):
        table[name] = np.array([getattr(one.image, name)[row] for one, row in rows], float)
        table[name].unit = "pix"
    for name in ("source_id", "ra", "dec", "phot_g_mean_mag"):
        if name in stars.colnames:
            table[name] = stars[name][reference]
    for name in ("x_residual", "y_residual", "x_sigma", "y_sigma"):
        table[name] = np.zeros(0) if matches is None else getattr(matches, name)
        table[name].unit = "mas"
    table["fitted"] = np.zeros(0, bool) if matches is None else matches.fitted
    table.meta = {"status": outcome.alignment.status, "reason": outcome.alignment.reason}
    return catalogs.stage_catalog(path, table, table_form(path))
