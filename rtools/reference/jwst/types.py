"""Reference types of JWST: what each file holds, in which form, and for which instruments there is a nominal one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rtools.errors import UsageError

__all__ = ["JWST_TYPES", "JwstRefType", "jwst_type", "known_type"]

ALL = ("nircam", "niriss", "miri", "fgs")
NEAR_INFRARED = ("nircam", "niriss", "fgs")
WITH_FILTERS = ("nircam", "niriss")


AS_READ = ("superbias", "reset")
"""Types that depend on how a sub-array is read, so that a file of the full frame does not serve it by its name."""


@dataclass(frozen=True)
class JwstRefType:
    """One reference type.

    Attributes
    ----------
    name : str
        In small letters; files have it in REFTYPE, ASDF files in ``meta.reftype``.
    model : str or mapping of str to str
        DATAMODL: the class of the mission's data models, or that of each instrument.
    arrays : tuple of str
        Extensions that are images; those with pixels of the detector as axes are cut to a sub-array.
    tables : tuple of str
        Extensions that are tables.
    nodes : tuple of str
        Of an ASDF file: parts of its tree.
    keywords : tuple of str
        Of the primary header, where they are what the reference says.
    apart : bool
        Whether the axes of its images are not those of the detector.
    exact : bool
        Whether a file must be for the very sub-array: it is not cut.
    absent : bool
        Whether a step can do without it, and says so.
    nominal : tuple of str
        Instruments for which the nominal set has one.
    by_filter : bool
        Whether the nominal set has one for each filter.
    """

    name: str
    model: str | Mapping[str, str]
    arrays: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    apart: bool = False
    exact: bool = False
    absent: bool = False
    nominal: tuple[str, ...] = field(default=())
    by_filter: bool = False

    @property
    def is_plane(self) -> bool:
        """Whether the last two axes of its images are those of the detector."""
        return bool(self.arrays) and not self.apart

    @property
    def cut(self) -> bool:
        """Whether a full frame is cut to a sub-array: it says what pixels are, however they are read."""
        return self.is_plane and not self.exact and self.name not in AS_READ

    @property
    def form(self) -> str:
        """``asdf`` or ``fits``: how the file is written."""
        return "asdf" if self.nodes and not self.arrays and not self.tables else "fits"

    def model_of(self, instrument: str) -> str:
        """DATAMODL of a file.

        Parameters
        ----------
        instrument : str
            In small letters.

        Returns
        -------
        str
        """
        return self.model if isinstance(self.model, str) else self.model.get(instrument, "")


PHOTOM = {"nircam": "NrcImgPhotomModel", "niriss": "NisImgPhotomModel", "miri": "MirImgPhotomModel"}
APCORR = {"nircam": "NrcImgApcorrModel", "niriss": "NisImgApcorrModel", "miri": "MirImgApcorrModel"}
DARK = dict.fromkeys(("nircam", "niriss", "fgs", "nirspec"), "DarkModel") | {"miri": "DarkMIRIModel"}
BACKGROUND = {"niriss": "WfssBkgModel", "nircam": "WfssBkgModel"}
AREA = ("PIXAR_SR", "PIXAR_A2")

HOLES = tuple(f"NRM_{axis}_A{number}" for number in range(1, 8) for axis in "XY")

JWST_TYPES: Mapping[str, JwstRefType] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            JwstRefType("mask", "MaskModel", ("DQ",), ("DQ_DEF",), nominal=ALL),
            JwstRefType("saturation", "SaturationModel", ("SCI", "DQ"), ("DQ_DEF",), nominal=ALL),
            JwstRefType("superbias", "SuperBiasModel", ("SCI", "ERR", "DQ"), ("DQ_DEF",), nominal=NEAR_INFRARED),
            JwstRefType("ipc", "IPCModel", ("SCI",), apart=True, nominal=ALL),
            JwstRefType("linearity", "LinearityModel", ("COEFFS", "DQ"), ("DQ_DEF",), nominal=ALL),
            JwstRefType("dark", DARK, ("SCI", "DQ"), ("DQ_DEF",), exact=True, nominal=ALL),
            JwstRefType("gain", "GainModel", ("SCI",), nominal=ALL),
            JwstRefType("readnoise", "ReadnoiseModel", ("SCI",), nominal=ALL),
            JwstRefType("reset", "ResetModel", ("SCI", "DQ"), ("DQ_DEF",), nominal=("miri",)),
            JwstRefType("rscd", "RSCDModel", (), ("RSCD_GROUP_SKIP",), nominal=("miri",)),
            JwstRefType("flat", "FlatModel", ("SCI", "ERR", "DQ"), ("DQ_DEF",), nominal=ALL, by_filter=True),
            JwstRefType("photom", PHOTOM, (), ("PHOTOM",), keywords=AREA, nominal=WITH_FILTERS),
            JwstRefType("area", "PixelAreaModel", ("SCI",), keywords=AREA, absent=True, nominal=ALL),
            JwstRefType("distortion", "DistortionModel", nodes=("model",), nominal=ALL),
            JwstRefType("filteroffset", "FilteroffsetModel", nodes=("filters",), absent=True, nominal=WITH_FILTERS),
            JwstRefType("apcorr", APCORR, (), ("APCORR",), absent=True, nominal=WITH_FILTERS, by_filter=True),
            JwstRefType(
                "abvegaoffset", "ABVegaOffsetModel", nodes=("abvega_offset",), absent=True, nominal=WITH_FILTERS
            ),
            JwstRefType("extract1d", "", nodes=("data",)),
            JwstRefType("psfmask", "PsfMaskModel", ("SCI",)),
            JwstRefType("nrm", "NRMModel", ("NRM",), keywords=("F2F", *HOLES), apart=True, nominal=("niriss",)),
            JwstRefType("throughput", "ThroughputModel", (), ("THROUGHPUT",), nominal=("niriss",), by_filter=True),
            JwstRefType("bkg", BACKGROUND, ("SCI", "ERR", "DQ"), ("DQ_DEF",)),
        )
    }
)
"""Types that rtools knows, in the order in which a chain needs them."""


def jwst_type(word: object) -> JwstRefType | None:
    """The type that REFTYPE or an option names.

    Parameters
    ----------
    word : str
        In letters of any case; anything else is taken by its text.

    Returns
    -------
    JwstRefType or None
        None where rtools knows no such type.
    """
    return JWST_TYPES.get(str(word).strip().lower())


def known_type(word: object) -> JwstRefType:
    """As `jwst_type`, but a word that is none is an error.

    Parameters
    ----------
    word : str
        As `jwst_type` takes it.

    Returns
    -------
    JwstRefType

    Raises
    ------
    UsageError
        rtools knows no such type.
    """
    kind = jwst_type(word)
    if kind is None:
        raise UsageError(f"no reference type of JWST is called {word!r}", mend=f"types: {' '.join(JWST_TYPES)}")
    return kind
