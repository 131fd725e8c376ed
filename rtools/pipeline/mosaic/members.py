"""The exposures of a mosaic: which of the files, and their planes as the drizzle takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.mosaic.drizzle.flux import apply_flux, put_floats
from rtools.pipeline.mosaic.missions import ROMAN, MosaicMission
from rtools.wfi import metadata
from rtools.work.loops import in_rows

if TYPE_CHECKING:
    from rtools.mosaic.grid.freegrid import FreeGrid
    from rtools.mosaic.grid.grid import Grid
    from rtools.pipeline.mosaic.workers import Workers
__all__ = [
    "Member",
    "exposed",
    "open_members",
    "read_planes",
    "refuse_elements",
    "share_of",
    "sky_planes",
    "without_bits",
]


@dataclass
class Member:
    """One image of one detector.

    Attributes
    ----------
    number : int
        Its bit in the context.
    name : str
        What its file is called.
    product : rtools.products.io.Product or rtools.products.jwst.JwstProduct
        Its file; closed, and opened again while something is read.
    meta : dict
        As the steps of this run leave it; that of `product` stays as it was.
    wcs : gwcs.WCS, rtools.products.jwst.ImageSky or None
        Of its pixels, with a bounding box; None where no place on the sky is wanted.
    group : str
        Exposure that it belongs to.
    mission : rtools.pipeline.mosaic.missions.MosaicMission
        Whose it is.
    factor : float or None
        MJy/sr per DN/s where its data are still to be multiplied.
    subtract : float
        Sky that this run takes off the data for good.
    flagged : ndarray uint32
        Places in the flattened image that this run has found to be outliers.
    nodes : dict
        Places on the sky at which its pixel map is known (`rtools.mosaic.grid.pixmap.pixel_map`).
    sky_variance : float or None
        Variance of its sky, where that was needed.
    read_noise : float or None
        Read-noise variance of its faint pixels, where it does not hold one and that was needed.
    mapped_to : rtools.mosaic.grid.grid.Grid or None
        The grid that its pixel map was last refused or said of.
    """

    number: int
    name: str
    product: Any
    meta: dict[str, Any]
    wcs: Any
    group: str
    mission: MosaicMission = ROMAN
    factor: float | None = None
    subtract: float = 0.0
    flagged: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint32))
    nodes: dict[Any, Any] = field(default_factory=dict)
    sky_variance: float | None = None
    read_noise: float | None = None
    mapped_to: Grid | FreeGrid | None = None

    def fresh(self) -> Member:
        """A copy for one run, which changes its metadata."""
        return replace(self, meta=_own(self.meta))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.product.arrays["data"].shape
        return rows, columns

    @property
    def share(self) -> float:
        """`share_of` its metadata."""
        return share_of(self.meta, self.mission.times)

    def to_sky(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Positions of pixels, also outside the image.

        Parameters
        ----------
        x, y : array_like
            Pixels, 0-based, of one shape.

        Returns
        -------
        ra, dec : ndarray float64
            Degrees.
        """
        return self.wcs(x, y, with_bounding_box=False)


def exposed(meta: Mapping[str, Any], key: str = "effective_exposure_time") -> float:
    """Exposure time of an image; 0 where it is not known.

    Parameters
    ----------
    meta : dict
        Its metadata.
    key : str
        Which of the times below `meta.exposure`.

    Returns
    -------
    float
        Seconds.
    """
    return float(metadata.usable(meta, f"exposure.{key}") or 0.0)


def share_of(meta: Mapping[str, Any], times: tuple[str, str] = ROMAN.times) -> float:
    """What an exposure counts where weights are exposure times.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure.
    times : (str, str)
        Below meta.exposure: the time, and the one that stands in for it.

    Returns
    -------
    float
        The first of these times that is known, seconds; 1 where neither is.
    """
    return exposed(meta, times[0]) or exposed(meta, times[1]) or 1.0


def open_members(
    files: Iterable[str | Path],
    log: Callable[[str, str], None],
    *,
    groups: Mapping[str, str] | None = None,
    called: Mapping[str, str] | None = None,
    wcs: bool = True,
    mission: MosaicMission = ROMAN,
) -> list[Member]:
    """Open the images that make one mosaic.

    Parameters
    ----------
    files : iterable of str or Path
        In the order of the context's bits; one that is named twice is taken once.
    log : callable
        ``log(level, text)``: is warned of images that are left out.
    groups : mapping of str to str, optional
        File to the group that an association puts it in.
    called : mapping of str to str, optional
        File to what it is called, where that is another name.
    wcs : bool
        Whether their places on the sky are wanted.
    mission : rtools.pipeline.mosaic.missions.MosaicMission
        Whose they are.

    Returns
    -------
    list of Member
        Never empty; their numbers begin with 0.

    Raises
    ------
    InputError
        A file is not an image or lacks something, none shows the sky, or they are of several optical elements.
    """
    members: list[Member] = []
    for name in dict.fromkeys(files):
        product = mission.open_image(name)
        reason = mission.why_left_out(product.meta)
        if reason:
            log("warning", f"{name}: {reason}, left out")
            continue
        title, group = str((called or {}).get(str(name), name)), (groups or {}).get(str(name))
        members.append(_member(len(members), title, product, group, mission, wcs))
        _settle_sky(members[-1], log)
    if not members:
        raise InputError("no image of the sky among the files")
    refuse_elements({member.name: mission.element_of(member.meta) for member in members})
    return members


def refuse_elements(told: Mapping[str, str]) -> None:
    """Refuse images of several optical elements.

    Parameters
    ----------
    told : mapping of str to str
        Name of each image, and its optical element.

    Raises
    ------
    InputError
        They are of more than one.
    """
    elements: dict[str, str] = {}
    for name, element in told.items():
        elements.setdefault(element, name)
    if len(elements) > 1:
        raise InputError(f"several optical elements: {', '.join(f'{key} ({name})' for key, name in elements.items())}",
                         mend="a mosaic is of one; rt-multiband takes mosaics of several")  # fmt: skip


def _member(number, name, product, group, mission, with_wcs):
    meta = _own(product.meta)
    mission.check_times(meta, name)
    missing = [key for key in ("data", "dq", "err", "var_poisson") if not product.has(key)]
    if missing:
        raise InputError(f"no array {', '.join(missing)}", path=name)
    for key in ("data", "dq", "err", "var_poisson", "var_rnoise", "var_flat"):
        if product.has(key) and product.arrays[key].shape != product.arrays["data"].shape:
            raise InputError(f"{key} is not of the shape of data", path=name)
    meta.setdefault("cal_step", {})
    try:
        factor = mission.factor_of(meta)
        wcs = mission.wcs_of(product) if with_wcs else None
    except InputError as error:
        error.path = name
        raise
    if wcs is not None and wcs.bounding_box is None:
        rows, columns = product.arrays["data"].shape
        wcs.bounding_box = (-0.5, columns - 0.5), (-0.5, rows - 0.5)
    product.close()  # or many members would be many open files
    return Member(number, name, product, meta, wcs, mission.group_of(meta, number, group), mission, factor)


def _own(meta):
    """Metadata whose blocks can be changed without those of the file."""
    return {key: dict(value) if type(value) is dict else value for key, value in meta.items()}


def _settle_sky(member, log):
    """The sky level of a member in MJy/sr, as its data; null, and a warning, where it cannot be one."""
    background = member.meta.get("background")
    if not background or background.get("level") is None:
        return

    def named(level, text):
        log(level, f"{member.name}: {text}")

    background["level"] = metadata.usable(member.meta, "background.level", named)
    if background["level"] is not None and member.factor is not None:
        background["level"] *= member.factor


def read_planes(member: Member, names: Iterable[str], workers: Workers) -> dict[str, np.ndarray]:
    """Planes of a member: dq, and others as float32 in MJy/sr, this run's sky subtracted.

    Parameters
    ----------
    member : Member
        The image.
    names : iterable of str
        Those that it lacks are left out.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.

    Returns
    -------
    dict of str to ndarray
        C-contiguous, valid until the next call; outliers that this run has found are flagged in dq.
    """
    held = member.product.arrays
    raw = workers.arrays(member, [name for name in names if name in held])
    planes = {}
    for name, (array, free) in raw.items():
        dtype = np.dtype(np.uint32 if name == "dq" else np.float32)
        planes[name] = array if free and array.dtype == dtype else workers.plane(name, member.shape, dtype)

    def fill(rows):
        part = {name: plane[rows] for name, plane in planes.items()}
        for name, out in part.items():
            if raw[name][0] is not planes[name]:
                put_floats(raw[name][0][rows], out)
        if member.factor is not None:
            apply_flux(part, member.factor)
        if member.subtract and "data" in part:
            part["data"] -= np.float32(member.subtract)

    in_rows(workers.work, fill, member.shape[0])
    if "dq" in planes and member.flagged.size:
        planes["dq"].reshape(-1)[member.flagged] |= member.mission.outlier_bits
    return planes


def sky_planes(member: Member, bits: int, workers: Workers) -> tuple[np.ndarray, np.ndarray]:
    """Data of a member, and which of its pixels are good.

    Parameters
    ----------
    member : Member
        The image.
    bits : int
        DQ bits of pixels that are not good.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.

    Returns
    -------
    data : ndarray float32 (rows, columns)
        MJy/sr, its sky still in.
    good : ndarray bool (rows, columns)
        Without any of these bits. Both are valid until the planes of another member are read.
    """
    planes = read_planes(member, ("data", "dq"), workers)
    return planes["data"], without_bits(planes["dq"], np.uint32(bits), workers)


def without_bits(dq: np.ndarray, bits: int | np.unsignedinteger, workers: Workers) -> np.ndarray:
    """Pixels without any of some DQ bits.

    Parameters
    ----------
    dq : ndarray uint32 (rows, columns)
        Flags.
    bits : int
        The bits.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads, and the memory of the result.

    Returns
    -------
    ndarray bool (rows, columns)
        Valid until the next call.
    """
    good = workers.plane("without bits", dq.shape, bool)

    def look(rows):
        np.equal(dq[rows] & bits, 0, out=good[rows])

    in_rows(workers.work, look, len(dq))
    return good
