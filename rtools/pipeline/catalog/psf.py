"""The PSF of an image as a table: its profile, and those of a star and of all stars beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry.pixels import on_image
from rtools.catalog.empirical_psf import MeasuredPsf, StarChoice
from rtools.catalog.psf.profile import LightProfile
from rtools.catalog.star import PlacedPsf, compare_star, numbers_of, psf_at, radii_of
from rtools.errors import InputError, MissingReferenceError, OutsideError
from rtools.pipeline.catalog.measured_psf import measure_image_psf, stage_psf
from rtools.pipeline.catalog.places import image_planes, image_psf
from rtools.pipeline.catalog.references import pixel_side_of
from rtools.reference import find
from rtools.reference.epsf import Psf, from_reference, samples
from rtools.reference.epsf_choice import PsfChoice
from rtools.reference.files import FileSource
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.catalog.source_catalog import ImagePlanes
    from rtools.products.io.product import Product
    from rtools.products.io.staging import Stage
    from rtools.products.jwst import JwstProduct

__all__ = ["WORDS", "PsfRequest", "ToldPsf", "image_profiles", "numbers_at", "reference_profiles"]

PICTURE = 25
"""Pixels on a side of pictures of PSFs."""

WORDS = {"psf": "the PSF of the reference", "star": "the star", "measured": "the PSF measured on the stars"}
"""Profiles by the first word of their columns."""


@dataclass(frozen=True)
class PsfRequest:
    """What is asked of an image.

    Attributes
    ----------
    doing : str
        ``reference``, ``star`` or ``measure``.
    reach : float
        Largest radius of the profiles, arcsec.
    choice : rtools.reference.epsf_choice.PsfChoice
        Which of the PSFs of the reference.
    stars : int
        At most so many are measured.
    references : rtools.reference.find.Config
        Where references are looked for.
    """

    doing: str
    reach: float
    choice: PsfChoice
    stars: int
    references: find.Config


class ToldPsf(NamedTuple):
    """What is told of a PSF.

    Attributes
    ----------
    table : astropy.table.Table
        Its profiles.
    numbers : dict of str to object
        Widths and radii, arcsec.
    pictures : list of (str, ndarray)
        Titles and images.
    stage : callable or None
        ``stage(path)`` writes a measured PSF as a reference.
    """

    table: Table
    numbers: dict[str, Any]
    pictures: list[tuple[str, np.ndarray]]
    stage: Callable[[Path], Stage] | None = None


def reference_profiles(
    path: str | Path,
    reach: float,
    choice: PsfChoice,
    log: Callable[[str, str], None],
    place: tuple[float, float] | None,
) -> ToldPsf:
    """The PSF of a reference file.

    Parameters
    ----------
    path : str or Path
        An epsf reference.
    reach : float
        Largest radius of the profile, arcsec.
    choice : rtools.reference.epsf_choice.PsfChoice
        Which of its PSFs.
    log : callable
        ``log(level, text)``.
    place : (float, float), optional
        Pixels of the detector; the middle of its grid if not given.

    Returns
    -------
    ToldPsf
    """
    source = FileSource("epsf", path)
    psf, side = from_reference(source, log, choice), pixel_side_of(source)
    x, y = place or ((psf.x[0] + psf.x[-1]) / 2, (psf.y[0] + psf.y[-1]) / 2)
    profile, numbers = numbers_of(PlacedPsf(psf, x, y, side), _radii(reach, side))
    return ToldPsf(_table_of({"psf": profile}, side), numbers, [("PSF", _picture(psf, x, y))])


def image_profiles(
    product: Product | JwstProduct,
    place: Callable[[Any], tuple[np.ndarray, np.ndarray]] | None,
    request: PsfRequest,
    work: Work = ALONE,
) -> ToldPsf:
    """The PSF of an image at a place, with what it is compared with.

    Parameters
    ----------
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        The image, opened.
    place : callable or None
        ``place(wcs)`` returns x and y, of one element each; None for the middle of the image.
    request : PsfRequest
        What is asked.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    ToldPsf

    Raises
    ------
    InputError
        There is no star, or there are too few.
    MissingReferenceError
        There is no PSF, and it is what was asked for.
    """
    planes, psf = _image_and_psf(product, request, work)
    rows, columns = planes.data.shape
    x, y = ((columns - 1) / 2, (rows - 1) / 2) if place is None else (float(one[0]) for one in place(planes.wcs))
    if not on_image(planes.data.shape, x, y):
        raise OutsideError("the place is not on the image", path=product.path)
    told = _Told(psf_at(psf or _no_psf(), planes, x, y), psf is not None, request.reach)
    if request.doing == "star":
        return told.with_star(planes)
    if request.doing == "measure":
        measured = measure_image_psf(product, planes, StarChoice(most=request.stars), psf=psf, work=work)
        return told.with_measured(measured, planes, lambda path: stage_psf(path, product, planes, measured))
    return told.alone()


def numbers_at(
    product: Product | JwstProduct,
    places: Callable[[Any], tuple[np.ndarray, np.ndarray]],
    request: PsfRequest,
    work: Work = ALONE,
) -> Table:
    """Numbers of the PSF, or of stars, at several places of an image.

    Parameters
    ----------
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        The image, opened.
    places : callable
        ``places(wcs)`` returns x and y.
    request : PsfRequest
        What is asked: ``reference`` or ``star``.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    astropy.table.Table
        A row for each place: ``status`` (``measured``, or why not), ``x``, ``y``, and the numbers, arcsec.

    Raises
    ------
    MissingReferenceError
        There is no PSF, and it is what was asked for.
    """
    from astropy.table import Table

    planes, psf = _image_and_psf(product, request, work)
    rows = []
    for x, y in zip(*(np.asarray(one, float).tolist() for one in places(planes.wcs)), strict=True):
        row: dict[str, Any] = {"status": "outside", "x": x, "y": y}
        if on_image(planes.data.shape, x, y):
            told = _Told(psf_at(psf or _no_psf(), planes, x, y), psf is not None, request.reach)
            try:
                found = told.with_star(planes) if request.doing == "star" else told.alone()
                row |= {"status": "measured"} | found.numbers
            except InputError as error:
                row["status"] = error.message
        rows.append(row)
    names = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    return Table({name: [row.get(name, np.nan) for row in rows] for name in names})


def _image_and_psf(product, request, work):
    """Planes of an image, and the PSF of its reference, which must be there where it is what is asked for."""
    planes = image_planes(product, work)
    psf = image_psf(product, planes, request.references, work.log, request.choice)
    if psf is None and request.doing == "reference":
        raise MissingReferenceError("no epsf reference", mend="--measure makes one of the stars", path=product.path)
    return planes, psf


def _no_psf():
    return Psf(np.zeros((1, 1, 1)), 1, np.zeros(1), np.zeros(1))


class _Told(NamedTuple):
    """The PSF of the reference at a place, and what may be put beside it."""

    placed: PlacedPsf
    known: bool
    reach: float

    @property
    def radii(self):
        return _radii(self.reach, self.placed.side)

    def alone(self) -> ToldPsf:
        profile, numbers = numbers_of(self.placed, self.radii)
        return ToldPsf(_table_of({"psf": profile}, self.placed.side), self._place() | numbers, self._pictures())

    def with_star(self, planes: ImagePlanes) -> ToldPsf:
        star = compare_star(planes, self.placed, self.radii, has_psf=self.known)
        profiles, numbers = {"star": star.profile}, {"x": star.x, "y": star.y}
        pictures = [("star", star.stamp)]
        if star.model is not None and star.model_stamp is not None:
            profiles = {"psf": star.model} | profiles
            numbers |= {"flux": star.flux, "flux_err": star.flux_err, "gof": star.gof}
            pictures += [("PSF", star.model_stamp), ("|star - PSF|", np.abs(star.stamp - star.model_stamp))]
        for name, profile in profiles.items():
            numbers |= {f"{name}_{key}": value for key, value in radii_of(profile, self.placed.side).items()}
        return ToldPsf(_table_of(profiles, self.placed.side), numbers, pictures)

    def with_measured(self, measured: MeasuredPsf, planes: ImagePlanes, stage: Callable[[Path], Stage]) -> ToldPsf:
        theirs = psf_at(measured.psf, planes, self.placed.x, self.placed.y)
        profile, numbers = numbers_of(theirs, self.radii)
        profiles = {"measured": profile}
        told = {"stars": len(measured.stars)} | {f"measured_{key}": value for key, value in numbers.items()}
        if self.known:
            expected, numbers = numbers_of(self.placed, self.radii)
            profiles = {"psf": expected} | profiles
            told |= {f"psf_{key}": value for key, value in numbers.items()}
        pictures = [*self._pictures(), ("measured", _picture(measured.psf))]
        return ToldPsf(_table_of(profiles, self.placed.side), told, pictures, stage)

    def _place(self):
        return {"x": self.placed.x, "y": self.placed.y}

    def _pictures(self):
        return [("PSF", _picture(self.placed.psf, self.placed.x, self.placed.y))] if self.known else []


def _picture(psf, x=None, y=None):
    """A PSF in samples of a quarter of a pixel."""
    return samples(psf, 4 * PICTURE + 1, 4, x, y)


def _radii(reach, side):
    """Radii of profiles, arcsec: every half pixel."""
    return side * np.arange(0.5, reach / side + 0.25, 0.5)


def _table_of(profiles: Mapping[str, LightProfile], side: float) -> Table:
    """Profiles on the same radii as a table, by the first word of their columns (`WORDS`); `side` in arcsec.

    radius, middle (arcsec), then NAME_brightness (1 / arcsec²) and NAME_energy, with errors where they are known.
    """
    from astropy.table import Column, Table

    first = next(iter(profiles.values()))
    table = Table()
    table["radius"] = Column(first.radius * side, unit="arcsec", description="Outer radius of the ring and circle")
    table["middle"] = Column(first.middle * side, unit="arcsec", description="Middle radius of the ring")
    for name, profile in profiles.items():
        told = WORDS[name]
        for kind, scale, unit, what in (
            ("brightness", side**-2, "1 / arcsec2", "Share of the light per area in the ring"),
            ("energy", 1.0, None, "Share of the light within the circle"),
        ):
            values, errors = getattr(profile, kind) * scale, getattr(profile, f"{kind}_err") * scale
            table[f"{name}_{kind}"] = Column(values, unit=unit, description=f"{what}: {told}")
            if np.any(errors > 0):
                table[f"{name}_{kind}_err"] = Column(errors, unit=unit, description=f"Error of {name}_{kind}")
    return table
