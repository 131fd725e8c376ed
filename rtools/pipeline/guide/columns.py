"""Columns of the tables that guide windows and FACE give: names, units and what each says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "BANDS",
    "FACE",
    "INFO",
    "JITTER",
    "LIGHT_CURVE",
    "LINES",
    "PAIRS",
    "PERIODOGRAM",
    "SPECTRUM",
    "GuideColumn",
    "make_table",
]


class GuideColumn(NamedTuple):
    """One column.

    Attributes
    ----------
    name : str
        Its name.
    unit : str or None
        Its unit, as astropy writes it.
    text : str
        What it says.
    dtype : str
        numpy's name of its type.
    """

    name: str
    unit: str | None
    text: str
    dtype: str = "float64"


def _all(*columns: tuple) -> tuple[GuideColumn, ...]:
    return tuple(GuideColumn(*column) for column in columns)


_START = _all(
    ("pair", None, "Number of the pair in its stage, from 0", "int32"),
    ("exposure", None, "Exposure of the visit; negative between exposures, 0 where unknown", "int32"),
)

PAIRS = (
    GuideColumn("stage", None, "Stage of guiding: acq, edge or track", "U5"),
    *_START,
    *_all(
        ("mjd", "d", "Centre of the pair, UTC"),
        ("t", "s", "Centre of the pair since meta.t_start"),
        ("exptime", "s", "Exposure time of the difference of signal and pedestal"),
        ("x_window", "pix", "First column of the window in the frame of 4096, from 0", "int32"),
        ("y_window", "pix", "First row of the window in the frame of 4096, from 0", "int32"),
        ("x", "pix", "Centroid in the frame of 4096, from 0"),
        ("y", "pix", "Centroid in the frame of 4096, from 0"),
        ("x_err", "pix", "Standard deviation of x"),
        ("y_err", "pix", "Standard deviation of y"),
        ("xy_cov", "pix2", "Covariance of x and y"),
        ("flux", "electron / s", "Light of the star"),
        ("flux_err", "electron / s", "Standard deviation of flux"),
        ("background", "electron / (pix s)", "Level beside the star"),
        ("aperture_flux", "electron / s", "Sum in a circle of radius 3 pixels above the background"),
        ("chi2", None, "Chi-square per degree of freedom of the fit"),
        ("width_xx", "mas2", "What the residuals say of the motion inside the pair, beyond the PSF's jitter"),
        ("width_yy", "mas2", "The same along y"),
        ("width_xy", "mas2", "The same, covariance"),
        ("masked", None, "Pixels that the fit left out", "int32"),
        ("peak", "DN", "Largest signal of the window"),
        ("x_down", "pix", "Downlinked centroid"),
        ("y_down", "pix", "Downlinked centroid"),
        ("xx_down", "pix2", "Its variance"),
        ("yy_down", "pix2", "Its variance"),
        ("xy_down", "pix2", "Its covariance"),
        ("quality_down", None, "Its quality, as it came down", "U40"),
        ("use", None, "Why the pair is not used (bits of docs/guide.md); 0 where it is", "uint16"),
    ),
)
"""A row a pair (`rt-gw measure`)."""

DROPPED = (
    "reset_impacted",
    "reset_read",
    "sce",
    "gw_error",
    "min_bind",
    "max_bind",
    "saturated",
    "no_fit",
    "outlier",
    "no_downlink",
    "moved",
    "edge",
)
"""Flags of `rtools.wfi.guide.Use` in lower case, in their order."""

SAID = ("reset_impacted", "reset_read", "sce", "gw_error", "min_bind", "max_bind", "no_downlink", "moved")
"""Those of them that a file says itself; the others are measured."""

JITTER = _all(
    ("guide_window_id", None, "Acquisition", "U20"),
    ("detector", None, "Detector", "U5"),
    ("element", None, "Optical element", "U8"),
    ("exposure", None, "Exposure of the visit; negative between exposures", "int32"),
    ("start", "d", "Centre of the first pair, MJD, UTC"),
    ("stop", "d", "Centre of the last pair, MJD, UTC"),
    ("pairs", None, "Pairs of the exposure", "int32"),
    ("used", None, "Pairs of which the motion is measured", "int32"),
    *((f"dropped_{name}", None, f"Pairs with the flag {name.upper()}", "int32") for name in DROPPED),
    ("x", "pix", "Mean place of the star in the frame of 4096"),
    ("y", "pix", "Mean place of the star in the frame of 4096"),
    ("rms_x", "mas", "Motion along x, noise taken out"),
    ("rms_y", "mas", "Motion along y, noise taken out"),
    ("rms_radial", "mas", "Square root of the sum of both squares"),
    ("corr", None, "Correlation of the motion along x and y"),
    ("noise_x", "mas", "Noise of a centroid along x"),
    ("noise_y", "mas", "Noise of a centroid along y"),
    ("drift_x", "mas / s", "Slope of a line along x"),
    ("drift_x_err", "mas / s", "Its standard deviation"),
    ("drift_y", "mas / s", "Slope of a line along y"),
    ("drift_y_err", "mas / s", "Its standard deviation"),
    ("rms_line_x", "mas", "Motion along x about that line"),
    ("rms_line_y", "mas", "Motion along y about that line"),
    ("excursion_max", "mas", "Largest distance from the mean place"),
    ("excursion_95", "mas", "Distance from the mean place that 95 per cent of the pairs keep"),
    ("gaps", None, "Gaps longer than 1.5 cycles", "int32"),
    ("high_xx", "mas2", "Motion faster than a pair, beyond the PSF's jitter, along x"),
    ("high_xx_err", "mas2", "Its standard deviation"),
    ("high_yy", "mas2", "The same along y"),
    ("high_yy_err", "mas2", "Its standard deviation"),
    ("high_xy", "mas2", "The same, covariance"),
    ("high_xy_err", "mas2", "Its standard deviation"),
    ("jitter_major", "mas", "Major axis of the kernel, rms, 110 mas a pixel, as guide_star.jitter_major"),
    ("jitter_minor", "mas", "Minor axis of the kernel, rms"),
    ("jitter_position_angle", "deg", "From +y towards +x"),
    ("kind", None, "What the kernel holds: slow, window (fast as measured) or added (a number in quadrature)", "U6"),
    ("flux", "electron / s", "Mean light of the star"),
    ("flux_rms_ppm", None, "Scatter of the light, parts in a million"),
    ("flux_expected_ppm", None, "Scatter that its errors let expect"),
    ("downlink_dx", "pix", "Mean of downlinked minus measured centroids"),
    ("downlink_dy", "pix", "The same along y"),
    ("downlink_scatter", "mas", "Scatter of that difference"),
    ("downlink_rms_x", "mas", "Motion by the downlinked centroids, noise taken out"),
    ("downlink_rms_y", "mas", "The same along y"),
    ("face_rms_delta", "mas", "Motion of FACE about F1"),
    ("face_rms_epsilon", "mas", "Motion of FACE about F2"),
    ("face_rms_zeta", "arcsec", "Roll of FACE about F3"),
)
"""A row an exposure (`rt-gw jitter`)."""

INFO = _all(
    ("guide_window_id", None, "Acquisition", "U20"),
    ("detector", None, "Detector; empty for the attitude of all", "U5"),
    ("element", None, "Optical element", "U8"),
    ("phase", None, "track, or the phase of fine guidance", "U16"),
    ("exposure", None, "Exposure of the visit; negative between exposures, 0 where unknown", "int32"),
    ("start", "d", "First pair or attitude, MJD, UTC"),
    ("stop", "d", "Last pair or attitude, MJD, UTC"),
    ("pairs", None, "Pairs, or attitudes of the phase", "int32"),
    ("used", None, "Of these, those that nothing in the file keeps out", "int32"),
    *((f"dropped_{name}", None, f"Pairs with the flag {name.upper()}", "int32") for name in SAID),
    ("science", None, "Science files of the exposure", "U"),
)
"""A row an exposure, or a phase (`rt-gw info`)."""

LIGHT_CURVE = (
    *_START,
    *_all(
        ("mjd", "d", "Centre of the pair, or of those of a bin, UTC"),
        ("t", "s", "The same since meta.t_start"),
        ("bjd_tdb", "d", "Barycentric date, TDB, where it was asked for"),
        ("flux", "electron / s", "Light of the star"),
        ("flux_err", "electron / s", "Its standard deviation"),
        ("pairs", None, "Pairs in the bin", "int32"),
        ("use", None, "Why the pair is not used; 0 where it is", "uint16"),
    ),
)
"""A row a pair or a bin (`rt-gw lightcurve`)."""

FACE = _all(
    ("mjd", "d", "Time of the centroids, UTC"),
    ("t", "s", "The same since meta.t_start"),
    ("phase", None, "fgs_op_phase", "U16"),
    ("quality", None, "attitude_estimate_quality", "U30"),
    *((name, "rad", text) for name, text in (
        ("delta", "Rotation about F1, three-parameter solution"),
        ("epsilon", "Rotation about F2, three-parameter solution"),
        ("zeta", "Rotation about F3, three-parameter solution"),
        ("delta2", "Rotation about F1, two-parameter solution"),
        ("epsilon2", "Rotation about F2, two-parameter solution"),
    )),
    *((f"{name}_var", "rad2", f"Variance of {name}") for name in ("delta", "epsilon", "zeta")),
    ("horizontal_variance", "pix2", "Residual variance along the horizontal"),
    ("vertical_variance", "pix2", "Residual variance along the vertical"),
    ("num_stars_used", None, "Stars of the solution", "int32"),
    ("num_centroid_cycles", None, "Cycles of centroids", "int32"),
    ("good", None, "Whether the solution is used in statistics", "bool"),
    ("delta_mas", "mas", "delta"),
    ("epsilon_mas", "mas", "epsilon"),
    ("zeta_arcsec", "arcsec", "zeta"),
    ("dx", "pix", "Motion of a star at the place of --at"),
    ("dy", "pix", "Motion of a star at the place of --at"),
)  # fmt: skip
"""A row a solution (`rt-gw face`)."""

SPECTRUM = _all(
    ("exposure", None, "Exposure of the visit; 0 for all", "int32"),
    ("frequency", "Hz", "Frequency"),
    ("power_x", "mas2", "Variance of the motion along x in this bin"),
    ("power_y", "mas2", "Variance of the motion along y in this bin"),
    ("power_radial", "mas2", "Sum of both"),
    ("floor_x", "mas2", "Variance of the noise in this bin"),
    ("floor_y", "mas2", "Variance of the noise in this bin"),
)
"""A row a frequency (`rt-gw spectrum`)."""

PERIODOGRAM = _all(
    ("frequency", "Hz", "Frequency"),
    ("power", None, "Variance of the light in this bin, parts in a million squared"),
    ("floor", None, "Variance of the noise in this bin, parts in a million squared"),
)
"""A row a frequency (`rt-gw lightcurve --show periodogram`)."""

BANDS = _all(
    ("exposure", None, "Exposure of the visit; 0 for all", "int32"),
    ("low", "Hz", "Lower border of the band"),
    ("high", "Hz", "Upper border of the band"),
    ("rms_x", "mas", "Motion along x in the band, noise taken out"),
    ("rms_y", "mas", "Motion along y in the band, noise taken out"),
    ("rms_radial", "mas", "Square root of the sum of both squares"),
    ("variance_x", "mas2", "Variance along x less that of the noise; negative where there is less than that"),
    ("variance_y", "mas2", "The same along y"),
)
"""A row a band (`rt-gw spectrum --show bands`)."""

LINES = _all(
    ("exposure", None, "Exposure of the visit; 0 for all", "int32"),
    ("axis", None, "x or y", "U1"),
    ("frequency", "Hz", "Where the line is found"),
    ("frequency_err", "Hz", "Its standard deviation"),
    ("rms", "mas", "Motion in the line as found"),
    ("rms_err", "mas", "Its standard deviation"),
    ("above", None, "Power over the median of the frequencies around it"),
    ("partner", "Hz", "A frequency that the line can have; the first is where it is found"),
    ("amplitude", None, "Share of a motion at that frequency that the time of a pair leaves"),
    ("rms_partner", "mas", "Motion in the line if that is its frequency"),
)
"""A row a frequency that a line can have (`rt-gw spectrum --show lines`)."""


def make_table(
    columns: Iterable[GuideColumn], values: Mapping[str, Any] | Sequence[Mapping[str, Any]], meta: Mapping[str, Any]
) -> Table:
    """A table with units and descriptions.

    Parameters
    ----------
    columns : iterable of GuideColumn
        Those that it can have; of these it gets those that `values` have, and all where there is no row.
    values : mapping, or sequence of mappings
        Name of a column to its values; or a mapping for each row.
    meta : mapping
        What the table says of itself: flat, with plain values.

    Returns
    -------
    astropy.table.Table
        Numbers that are not known are NaN.
    """
    from astropy.table import Column as TableColumn
    from astropy.table import Table

    table, found = Table(meta=dict(meta)), _columns_of(values)
    for column in columns:
        if found and column.name not in found:
            continue
        data = found.get(column.name, [])
        if column.dtype.startswith("float"):
            data = [np.nan if one is None else one for one in data] if isinstance(data, list) else data
        table[column.name] = TableColumn(np.asarray(data, column.dtype), unit=column.unit, description=column.text)
    return table


def _columns_of(values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Name of each column to its values, of columns or of rows."""
    if isinstance(values, Mapping):
        return dict(values)
    return {name: [row.get(name) for row in values] for row in values[:1] for name in row}
