"""All compiled kernels of the package: which there are, which are kept compiled, and small jobs that compile them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import rtools

__all__ = ["JOBS", "all_kernels", "is_kept_compiled"]

READS = "1;2-3;4-7;8-10;11;12-13"
ROMAN = ("r0000101001001001001_0001_wfi01_f158", "r0000101001001001001_0002_wfi01_f158")
OTHER = "r0000101001001001001_0003_wfi01_f129"
GUIDE = "r0000101001001001001_0001_1_wfi01_f158_gw.asdf"
EDGES = "r0000101001001001001_0004_1_wfi01_grism_gw.asdf"
TRACES = "r0000101001001001001_0004_wfi01_grism"
JWST = ("jw01234001001_02101_00001_nrca1", "jw01234001001_02101_00002_nrca1")
SMALL = ("--size", "256", "--read-pattern", READS, "--crowded", "60000", "--reference-read")
SERIES = "jw01234001001_02101_00003_nrca1"
SUBARRAY = ("--subarray", "SUB64P", "--ngroups", "8", "--nints")


def _with(names: tuple[str, ...], suffix: str) -> list[str]:
    return [name + suffix for name in names]


JOBS = (
    ("sim", *_with((*ROMAN, OTHER), "_uncal.asdf"), *SMALL),
    ("refcat", "from-truth", f"{ROMAN[0]}_truth.parquet", "-o", "gaia.parquet"),
    ("run", *_with((*ROMAN, OTHER), "_uncal.asdf"), "--deblend"),
    ("run", f"{ROMAN[0]}_uncal.asdf", "--outdir", "steps", "--save-steps"),
    ("run", f"{ROMAN[0]}_uncal.asdf", "--outdir", "ols", "--set", "rampfit.algorithm=ols_cas22", "--deep", "--refcat",
     "gaia.parquet"),
    ("run", *_with(ROMAN, "_cal.asdf"), "--mosaic", "-o", "one_coadd.asdf"),
    ("run", f"{OTHER}_cal.asdf", "--mosaic", "--like", "one_coadd.asdf", "-o", "other_coadd.asdf"),
    ("resample", *_with(ROMAN, "_cal.asdf"), "--kernel", "gaussian", "-o", "wide_coadd.asdf"),
    ("skymatch", *_with(ROMAN, "_cal.asdf"), "--pairs", "exact", "--no-mask-sources"),
    ("outlier", *_with(ROMAN, "_cal.asdf"), "--no-resample-data"),
    ("multiband", "one_coadd.asdf", "other_coadd.asdf", "-o", "both_cat.parquet"),
    ("phot", f"{ROMAN[0]}_cal.asdf", "--table", f"{ROMAN[0]}_cat.parquet", "-o", "light.ecsv"),
    ("phot", f"{ROMAN[0]}_cal.asdf", "--table", f"{ROMAN[0]}_cat.parquet", "--free", "-o", "free.ecsv"),
    ("sim", GUIDE, "--exposures", "2"),
    ("gw", "measure", GUIDE, "-o", "measured.ecsv"),
    ("gw", "measure", GUIDE, "--centroid", "gauss", "-o", "gauss.ecsv"),
    ("gw", "measure", GUIDE, "--centroid", "moment", "-o", "moment.ecsv"),
    ("gw", "jitter", GUIDE, "-o", "jitter.ecsv"),
    ("sim", EDGES, "--exposures", "2"),
    ("gw", "measure", EDGES, "-o", "edges.ecsv"),
    ("sim", f"{TRACES}_uncal.asdf", *SMALL),
    ("run", f"{TRACES}_uncal.asdf"),
    ("sim", *_with(JWST, "_uncal.fits"), *SUBARRAY, "1"),
    ("run", *_with(JWST, "_uncal.fits")),
    ("run", f"{JWST[0]}_uncal.fits", "--outdir", "likely", "--set", "rampfit.algorithm=likely",
     "--with", "ipc,chargemig"),
    ("run", *_with(JWST, "_cal.fits"), "--mosaic", "-o", "field_i2d.fits"),
    ("sim", f"{SERIES}_calints.fits", *SUBARRAY, "30", "--transit", "0.01,0.3,0.7"),
    ("outlier", f"{SERIES}_calints.fits"),
    ("phot", f"{SERIES}_crfints.fits"),
)  # fmt: skip
"""Tools and their arguments: small jobs that reach the kernels, one after another, in one directory."""


def all_kernels() -> dict[str, Callable]:
    """Every compiled function that others call; what is private to a module is compiled with what calls it.

    Returns
    -------
    dict of str to callable
        Module and name, as ``exposure.rampfit._jumps.flag``, to numba's dispatcher.
    """
    root = Path(rtools.__file__).parent
    files = [path for path in sorted(root.rglob("*.py")) if "import njit" in path.read_text("utf-8")]
    modules = [import_module(".".join(("rtools", *path.relative_to(root).with_suffix("").parts))) for path in files]
    return {
        f"{module.__name__.removeprefix('rtools.')}.{name}": found
        for module in modules
        for name, found in vars(module).items()
        if hasattr(found, "py_func") and found.__module__ == module.__name__ and not name.startswith("_")
    }


def is_kept_compiled(kernel: Callable) -> bool:
    """Whether the machine code of a kernel is kept on disk, for some types of its arguments.

    Parameters
    ----------
    kernel : callable
        One of `all_kernels`.

    Returns
    -------
    bool
    """
    function = kernel.py_func  # type: ignore[attr-defined]
    index = f"*.{function.__qualname__}-{function.__code__.co_firstlineno}.py*.nbi"
    place = kernel.stats.cache_path  # type: ignore[attr-defined]
    return place is not None and any(Path(place).glob(index))
