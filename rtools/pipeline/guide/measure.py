"""Pairs of a guide window measured: pixels in slices, the detector and the PSF where the window is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.guide import (
    Centroids,
    Difference,
    GuidePsf,
    flag_pairs,
)
from rtools.guide.measured import COLUMNS, centroids_of
from rtools.pipeline.guide.fits import Fit, edge_fit, plain_fit, psf_fit, relative
from rtools.pipeline.guide.instrument import GuideInstrument, angles_of_wcs, instrument_of, stretch_of
from rtools.pipeline.guide.pieces import Piece, difference_of, flags_of, pieces_of
from rtools.pipeline.guide.request import GuideRequest
from rtools.wfi.fgs import place_in_field
from rtools.wfi.frame import BORDER
from rtools.wfi.instrument import DETECTORS

if TYPE_CHECKING:
    from rtools.products.guide import Guide, GuideStage
    from rtools.work import Work

__all__ = ["Measured", "measure_pairs", "measure_stage"]


FEWEST = 30
"""Pairs without which the share of the reference output and the width of the star are those of the longest piece."""


class Measured(NamedTuple):
    """What was measured of a stage.

    Attributes
    ----------
    stage : rtools.products.guide.GuideStage
        The stage.
    pairs : ndarray int (n,)
        Numbers of the pairs in it.
    lower : ndarray int32 (n, 2)
        Column and row of the first pixel of the window of each.
    centroids : rtools.guide.Centroids
        Of these pairs; places in pixels of the frame of 4096.
    peak : ndarray float32 (n,)
        Largest signal of the window, DN.
    use : ndarray uint16 (n,)
        `rtools.wfi.guide.Use`.
    angles : ndarray float64 (2, 2)
        Angles along +x and +y on the sky by pixel, mas: of the mean place of the star.
    kappa : float
        Share of the reference output's noise that was taken away; NaN for none.
    psf : rtools.guide.GuidePsf or None
        Of the reference. What was fitted is as wide as the star, where that is known; widths are relative to this.
    """

    stage: GuideStage
    pairs: NDArray[np.int64]
    lower: NDArray[np.int32]
    centroids: Centroids
    peak: NDArray[np.float32]
    use: NDArray[np.uint16]
    angles: NDArray[np.float64]
    kappa: float
    psf: GuidePsf | None


def measure_pairs(guide: Guide, stage: GuideStage, request: GuideRequest, work: Work) -> Measured:
    """Measure all pairs of a stage that are asked for.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    stage : rtools.products.guide.GuideStage
        One of its stages.
    request : GuideRequest
        How.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    Measured
        Without pairs where the stage has no resultants.

    Raises
    ------
    InputError
        The pixels are damaged.
    MissingReferenceError
        A reference that is needed is nowhere.
    """
    instrument = instrument_of(guide, request, work.log)
    pieces = list(pieces_of(stage, request))
    place = _place_of(guide, stage, pieces)
    psf = instrument.psf_at(*place) if request.centroid == "psf" and pieces else None
    fit, few = _fit_of(guide, stage, pieces, (psf, instrument), request=request, work=work)
    psf = None if guide.spectroscopic else psf
    found: list[Centroids] = []
    about: list[Difference] = []
    for piece in pieces:
        short = len(piece.pairs) < FEWEST
        difference = difference_of(stage, piece, instrument, request, kappa=few if short else None)
        own = fit if short or psf is None else psf_fit(difference, flags_of(stage, piece.pairs), psf, work)
        found.append(own(difference, work))
        about.append(difference._replace(images=difference.images[:0], masked=difference.masked[:0]))
    pairs = _joined([piece.pairs for piece in pieces], np.zeros(0, np.int64))
    centroids = Centroids(*(_joined(list(parts)) for parts in zip(*found, strict=True))) if found else None
    said = flags_of(stage, pairs)
    judged = relative(centroids) if request.centroid == "gauss" else centroids
    use = flag_pairs(said, judged, _joined([one.saturated for one in about]), stage.shape)
    shares = [one.kappa for one in about if one.kappa is not None]
    return Measured(
        stage,
        pairs,
        said.lower,
        _in_frame(centroids or centroids_of(np.zeros((0, COLUMNS))), said.lower),
        _joined([one.peak_dn for one in about], np.zeros(0, np.float32)),
        use,
        _angles(guide, request, place) if found else np.eye(2),
        float(np.mean(shares)) if shares else np.nan,
        psf,
    )


def _fit_of(
    guide: Guide,
    stage: GuideStage,
    pieces: list[Piece],
    detector: tuple[GuidePsf | None, GuideInstrument],
    *,
    request: GuideRequest,
    work: Work,
) -> tuple[Fit, float | None]:
    """How short pieces are fitted, and the share of the reference output in them: by the longest one."""
    psf, instrument = detector
    fit, kappa = plain_fit(request.centroid), None
    if not pieces:
        return fit, kappa
    if not guide.spectroscopic and all(len(piece.pairs) >= FEWEST for piece in pieces):
        return fit, kappa
    longest = max(pieces, key=lambda piece: len(piece.pairs))
    difference = difference_of(stage, longest, instrument, request)
    kappa = difference.kappa
    if psf is not None and guide.spectroscopic:
        fit = edge_fit(difference, psf, guide, work)
    elif psf is not None:
        fit = psf_fit(difference, flags_of(stage, longest.pairs), psf, work)
    return fit, kappa


def measure_stage(guide: Guide, name: str, request: GuideRequest, work: Work) -> Measured:
    """Measure a stage that a file must have.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    name : str
        ``acq``, ``edge`` or ``track``.
    request : GuideRequest
        How.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    Measured

    Raises
    ------
    InputError
        It has no such stage, or the pixels are damaged.
    MissingReferenceError
        A reference that is needed is nowhere.
    """
    stage = guide.stage(name)
    if stage is None:
        raise InputError(f"no stage {name}", path=guide.path)
    return measure_pairs(guide, stage, request, work)


def _in_frame(centroids, lower):
    """The same with places in the frame instead of in the window."""
    return centroids._replace(x=centroids.x + lower[:, 0], y=centroids.y + lower[:, 1])


def _joined(parts, nothing=None):
    """Arrays one after another."""
    return np.concatenate(parts) if parts else nothing


def _place_of(guide, stage, pieces):
    """Where the star is in the frame: as predicted if that is in a window, else the middle of the first window."""
    if not pieces:
        return (0.0, 0.0)
    (x, y), (rows, columns) = pieces[0].lower, stage.shape
    if stage.expected is not None and 0 <= stage.expected[0] - x < columns and 0 <= stage.expected[1] - y < rows:
        return stage.expected
    return x + (columns - 1) / 2, y + (rows - 1) / 2


def _angles(guide, request, place):
    """Angles on the sky along +x and +y by pixel, mas: by a WCS, or by the nominal distortion of the detector."""
    if request.wcs is not None:
        return angles_of_wcs(request.wcs, place)
    if guide.detector not in DETECTORS:
        raise InputError("the file does not say its detector", path=guide.path)
    jacobian = place_in_field(guide.detector, place[0] - BORDER, place[1] - BORDER).jacobian
    return 1000 * stretch_of(jacobian)
