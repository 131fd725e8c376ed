"""Which exposures make a mosaic together: by skycell and filter, of a visit, a pass or a whole program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import UsageError
from rtools.wfi.mosaics import VISIT_DIGITS

if TYPE_CHECKING:
    from rtools.mosaic.skymap.skymap import Cell

__all__ = ["DetectorImage", "Group", "by_skycell", "multiband"]


class DetectorImage(NamedTuple):
    """One detector's image: its file, 19-digit visit identifier, optical element in lower case, cells it touches."""

    file: str
    visit_id: str
    element: str
    cells: tuple[Cell, ...]


class Group(NamedTuple):
    """Files that make one mosaic, and the components of its name; `element` is None for a multiband one."""

    files: tuple[str, ...]
    program: str
    release: str
    subset: str
    cell: str
    element: str | None


def by_skycell(
    exposures: Iterable[DetectorImage], product_type: str = "visit", release: str = "p", *, subset: int | None = None
) -> list[Group]:
    """Groups of exposures, one for each set of visits, skycell and filter.

    Parameters
    ----------
    exposures : iterable of DetectorImage
        Images of detectors, in any order.
    product_type : str
        ``visit``, ``pass`` or ``full``: what the exposures of a group have in common.
    release : str
        p, r1, …: prompt products are made of visits, releases of the others.
    subset : int, optional
        Number of an arbitrary subset: of all a program's exposures, which `full` would call all that there are.

    Returns
    -------
    list of Group
        By visit, pass or program as they first come; in it by cell in the order of the skymap; in it by filter as they
        first come. Members keep their order.

    Raises
    ------
    UsageError
        The release has no such products.
    """
    from rtools.mosaic.skymap.skymap import name_of

    if subset is not None and product_type != "full":
        raise UsageError(f"a numbered subset is of a whole program, not by {product_type}")
    if (release == "p") != (product_type == "visit"):
        what = "visits" if release == "p" else "passes or whole programs"
        raise UsageError(f"products of release {release} are made of {what}, not by {product_type}",
                         mend="see --release and --product-type")  # fmt: skip
    found: dict[tuple[str, Cell, str], list[str]] = {}
    for exposure in exposures:
        for cell in exposure.cells:
            place = exposure.visit_id[: VISIT_DIGITS[product_type]], cell, exposure.element
            found.setdefault(place, []).append(exposure.file)
    first = {key: number for number, key in enumerate(dict.fromkeys(visits for visits, _cell, _element in found))}
    order = sorted(found, key=lambda place: (first[place[0]], place[1]))
    return [
        Group(tuple(found[place]), visits[:5], release, _subset(visits, product_type, subset), name_of(cell), element)
        for place in order
        for visits, cell, element in [place]
    ]


def _subset(visits, product_type, number):
    """The part of a mosaic's name that says of which exposures it is made."""
    full = "full" if number is None else f"s{number}"
    return {"visit": f"v{visits[5:]}", "pass": f"s{visits[5:]}", "full": full}[product_type]


def multiband(names: Mapping[str, Any]) -> list[Group]:
    """Groups of coadds that differ by filter only.

    Parameters
    ----------
    names : mapping of str to rtools.products.names.name.Name
        Files, and their names parsed.

    Returns
    -------
    list of Group
        As they first come; members keep their order.
    """
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for file, name in names.items():
        found.setdefault((name.program, name.release, name.subset, name.skycell), []).append(file)
    return [Group(tuple(files), *place, element=None) for place, files in found.items()]
