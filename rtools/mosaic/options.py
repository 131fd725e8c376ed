"""Options of the steps of a mosaic, parsed once: words become bits, limits, numbers and names of planes.

What was typed stays in the request, for the products that say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtools.errors import UsageError
from rtools.mosaic.drizzle.drizzle import VARIANCES, Kernel, make_kernel
from rtools.mosaic.drizzle.options import PLANES
from rtools.mosaic.drizzle.weights import bad_bits
from rtools.mosaic.outlier.outlier import OutlierLimits
from rtools.mosaic.sky.statistics import SkyStatistic
from rtools.wfi.dq import PIXEL

__all__ = [
    "DrizzleOptions",
    "OutlierOptions",
    "ResampleOptions",
    "SkyMatchOptions",
    "parse_outlier",
    "parse_resample",
    "parse_skymatch",
]

LIMITS = ("lower", "upper", "nclip", "lsigma", "usigma", "binwidth")
"""Options of skymatch that belong to its statistic, in the order of `SkyStatistic`."""


@dataclass(frozen=True)
class SkyMatchOptions:
    """Options of skymatch.

    Attributes
    ----------
    method : str
        What is asked of the levels.
    match_down : bool
        Level 0 is that of the lowest sky, else of the highest.
    subtract : bool
        The levels come off the data.
    statistic : rtools.mosaic.sky.statistics.SkyStatistic
        The sky value of a set of pixels.
    bad_bits : int
        DQ bits of pixels that are left out.
    mask_sources : bool
        Sources are left out.
    exact : bool
        Exposures are compared pair by pair, not in cells.
    stepsize : int or None
        Pixels between points of outlines, with `exact`.
    """

    method: str
    match_down: bool
    subtract: bool
    statistic: SkyStatistic
    bad_bits: int
    mask_sources: bool
    exact: bool
    stepsize: int | None

    @property
    def matches(self) -> bool:
        """Whether levels are made to agree where exposures overlap."""
        return "match" in self.method

    @property
    def wants_whole(self) -> bool:
        """Whether the statistic of each whole exposure is wanted."""
        return self.method != "match"


@dataclass(frozen=True)
class DrizzleOptions:
    """How images are drizzled.

    Attributes
    ----------
    kernel : str
        How a pixel is spread, one of `rtools.mosaic.drizzle.options.KERNELS`.
    pixfrac : float
        Side of a pixel's drop, in its own pixels.
    weight_type : str
        One of `rtools.mosaic.drizzle.options.WEIGHTS`; ``auto`` until the members are known.
    bad_bits : int
        DQ bits of pixels that are left out.
    fill : float
        Value where there are no data.
    """

    kernel: str
    pixfrac: float
    weight_type: str
    bad_bits: int
    fill: float

    def kernel_for(self, ratio: float = 1.0) -> Kernel:
        """The kernel for a ratio of pixel scales, output over input."""
        return make_kernel(self.kernel, self.pixfrac, ratio)


@dataclass(frozen=True)
class OutlierOptions:
    """Options of outlier.

    Attributes
    ----------
    drizzle : DrizzleOptions
        Of the images that are compared.
    limits : rtools.mosaic.outlier.outlier.OutlierLimits
        From where on a pixel is an outlier.
    maskpt : float
        Least weight of a pixel that counts in the median, of the mean weight.
    backg : float
        Sky of the data where their metadata do not say it, MJy/sr.
    resample_data : bool
        Images are compared on the sky, not pixel by pixel.
    """

    drizzle: DrizzleOptions
    limits: OutlierLimits
    maskpt: float
    backg: float
    resample_data: bool


@dataclass(frozen=True)
class ResampleOptions:
    """Options of resample.

    Attributes
    ----------
    drizzle : DrizzleOptions
        Of the mosaic.
    planes : frozenset of str
        Arrays that are asked for.
    variances : tuple of str
        Variances that are computed, in the order of `rtools.mosaic.drizzle.drizzle.VARIANCES`.
    dq : bool
        Flags are joined.
    """

    drizzle: DrizzleOptions
    planes: frozenset[str]
    variances: tuple[str, ...]
    dq: bool


def parse_skymatch(options: Mapping[str, Any], flags: Mapping[str, int] = PIXEL) -> SkyMatchOptions:
    """Options of skymatch from values by key.

    Parameters
    ----------
    options : mapping of str to object
        Of all options of the step.
    flags : mapping of str to int
        Names of DQ bits.

    Returns
    -------
    SkyMatchOptions

    Raises
    ------
    UsageError
        A word means nothing.
    """
    return SkyMatchOptions(
        method=options["method"],
        match_down=options["match_down"],
        subtract=options["subtract"],
        statistic=SkyStatistic(options["statistic"], *(options[key] for key in LIMITS)),
        bad_bits=bad_bits(options["dqbits"], flags),
        mask_sources=options["mask_sources"],
        exact=options["pairs"] == "exact",
        stepsize=options["stepsize"],
    )


def parse_outlier(options: Mapping[str, Any], flags: Mapping[str, int] = PIXEL) -> OutlierOptions:
    """Options of outlier from values by key.

    Parameters
    ----------
    options : mapping of str to object
        Of all options of the step.
    flags : mapping of str to int
        Names of DQ bits.

    Returns
    -------
    OutlierOptions

    Raises
    ------
    UsageError
        A word means nothing.
    """
    return OutlierOptions(
        drizzle=_drizzle(options, flags),
        limits=OutlierLimits(snr=_two(options, "snr"), scale=_two(options, "gradient")),
        maskpt=options["maskpt"],
        backg=options["backg"],
        resample_data=options["resample_data"],
    )


def parse_resample(options: Mapping[str, Any], flags: Mapping[str, int] = PIXEL) -> ResampleOptions:
    """Options of resample from values by key.

    With other weights than exposure times the read noise weighs all variances, so it is computed with any of them.

    Parameters
    ----------
    options : mapping of str to object
        Of all options of the step.
    flags : mapping of str to int
        Names of DQ bits.

    Returns
    -------
    ResampleOptions

    Raises
    ------
    UsageError
        A word means nothing.
    """
    drizzle = _drizzle(options, flags)
    asked = [word.strip() for word in options["planes"].split(",") if word.strip()]
    unknown = set(asked) - {*PLANES, "var_flat", "dq"}
    if unknown:
        raise UsageError(f"resample.planes: a mosaic has no {sorted(unknown)[0]}", mend=f"it has {' '.join(PLANES)}")
    wanted = {name for name in asked if name.startswith("var_")} | ({"var_flat"} if options["var_flat"] else set())
    if "err" in asked:
        wanted |= {"var_rnoise", "var_poisson"}
    if wanted and drizzle.weight_type != "exptime":
        wanted.add("var_rnoise")
    return ResampleOptions(
        drizzle=drizzle,
        planes=frozenset(asked),
        variances=tuple(name for name in VARIANCES if name in wanted),
        dq=options["dq"] or "dq" in asked,
    )


def _drizzle(options, flags):
    made = DrizzleOptions(
        kernel=options["kernel"],
        pixfrac=options["pixfrac"],
        weight_type=options["weight_type"],
        bad_bits=bad_bits(options["good_bits"], flags),
        fill=_number(options["fillval"]),
    )
    made.kernel_for()
    return made


def _number(text):
    """The number that ``fillval`` stands for."""
    word = str(text).strip()
    try:
        return 0.0 if word.upper() == "INDEF" else float(word)
    except ValueError:
        raise UsageError(f"fillval={text}: a number, NaN or INDEF expected") from None


def _two(options, key):
    """Two numbers, the stricter limit first."""
    try:
        pair = tuple(float(word) for word in str(options[key]).replace(",", " ").split())
    except ValueError:
        pair = ()
    if len(pair) != 2:
        raise UsageError(f"outlier.{key}={options[key]}: two numbers expected", mend=f"as in --{key} '5.0 4.0'")
    return pair
