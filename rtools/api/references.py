"""Reference files: which ones serve an exposure, and a nominal set to start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.api.asking import opened, reference_places, warn, working
from rtools.errors import RtoolsError
from rtools.wfi.frame import BORDER, FRAME

if TYPE_CHECKING:
    from rtools.products.io import Product
    from rtools.reference.find import Answer

__all__ = ["find_references", "make_references"]


def find_references(
    file: str | Path | Product,
    *,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
) -> list[Answer]:
    """Find the reference of every type that the calibration of an exposure needs.

    Parameters
    ----------
    file : str, Path or Product
        The exposure.
    refdir : str or Path, optional
        Directory of reference files; by default that of ``RT_REFDIR``.
    references : mapping of str to str or None, optional
        Type to a file that shall serve; None does without.
    builtin : bool, optional
        Whether the nominal instrument, which is not for science, serves what is found nowhere. By default it serves
        only simulated exposures, and only where no other place is known.

    Returns
    -------
    list of rtools.reference.find.Answer
        For each type `type`, `status` (``found``, ``none``, ``absent``, ``missing``), and `source`, whose `label` is
        the path of the file.

    Raises
    ------
    InputError
        The file is not an exposure, or a reference file cannot be read.

    Examples
    --------
    >>> import rtools
    >>> raw = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    >>> found = {answer.type: answer for answer in rtools.find_references(raw, builtin=True)}
    >>> found["gain"].status, found["gain"].source.origin
    ('found', 'builtin')
    """
    from rtools.pipeline.exposure import chain
    from rtools.products.edit.section import frame_of
    from rtools.products.schema import is_simulated
    from rtools.reference.find import survey
    from rtools.wfi import metadata

    product = opened(file, ("l1_uncal", "ramp", "l2_image"))
    needed = ("exposure.type", "exposure.start_time", "instrument.detector", "instrument.optical_element")
    metadata.require(product.meta, *needed, path=product.path)
    uses = [use for step in chain.steps_for(product.meta) for use in step.references]
    places = reference_places(refdir, references, builtin)
    rows, columns = product.arrays["data"].shape[-2:]
    borders = 0 if frame_of(product) == "l1" else 2 * BORDER
    frame = rows + borders, columns + borders
    return survey(product.meta, uses, places, simulated=is_simulated(product.history), frame=frame, log=warn)


def make_references(
    directory: str | Path,
    detectors: Iterable[str],
    elements: Iterable[str],
    *,
    types: Iterable[str] = (),
    seed: int = 0,
    size: int = FRAME,
    overwrite: bool = False,
    threads: int = 1,
) -> list[Path]:
    """Write the nominal instrument as reference files. It is partly assumed, and not for science.

    Parameters
    ----------
    directory : str or Path
        Made where it does not exist.
    detectors, elements : iterable of str
        ``WFI01`` …, ``F158`` …
    types : iterable of str
        Reference types, by default all that steps apply.
    seed : int
        Of a variation; 0 is the nominal set.
    size : int
        Rows and columns of the frame, a multiple of 128; a detector has 4096.
    overwrite : bool
        Replace files that exist.
    threads : int
        Threads that compress; 0 means all cores.

    Returns
    -------
    list of Path
        Of the files.

    Raises
    ------
    UsageError
        There is no such detector, element or type.
    RtoolsError
        A file exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> made = rtools.make_references("refs", ["WFI01"], ["F158"], types=["gain", "readnoise"], size=256)
    >>> [path.name for path in made]
    ['roman_wfi_gain_0001.asdf', 'roman_wfi_readnoise_0001.asdf']
    """
    from rtools.reference import make

    planned = make.jobs(list(detectors), list(elements), types=list(types), seed=seed, frame=(size, size))
    paths = make.paths(directory, planned)
    for path in paths:
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="overwrite=True replaces it", path=path)
    Path(directory).mkdir(parents=True, exist_ok=True)
    with working(threads) as work:
        for path, job in zip(paths, planned, strict=True):
            make.write(path, job.source, work=work)
    return paths
