"""The reference types: what each holds, on what it is selected, where it stands in the schemas."""

from __future__ import annotations

from dataclasses import dataclass

from rtools.wfi.instrument import FILTERS, SPECTRAL_ELEMENTS

__all__ = ["APPLIED", "TYPES", "RefType", "type_of"]


@dataclass(frozen=True)
class RefType:
    """One reference type.

    Attributes
    ----------
    name : str
        The `meta.ref_file` key.
    arrays : tuple of str
        Arrays with pixels (or channels) as axes.
    nodes : tuple of str
        Other parts of the tree.
    detector, element, exposure_type : bool
        Whether it is selected on these, besides the date.
    schema : str
        Name in the tag, where it is not `name`.
    applied : bool
        Whether any tool applies it, so that the nominal instrument has one.
    """

    name: str
    arrays: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    detector: bool = True
    element: bool = False
    exposure_type: bool = False
    schema: str = ""
    applied: bool = True

    def elements(self) -> tuple[str, ...]:
        """Optical elements for which a file of its own makes sense."""
        if not self.element:
            return ()
        more = {"epsf": (), "flat": SPECTRAL_ELEMENTS}.get(self.name, (*SPECTRAL_ELEMENTS, "DARK"))
        return (*FILTERS, *more)


TYPES = {
    kind.name: kind
    for kind in (
        RefType("mask", ("dq",)),
        RefType("saturation", ("data", "dq")),
        RefType("refpix", ("gamma", "zeta", "alpha")),
        RefType("darkdecaysignal", nodes=("decay_table",), detector=False),
        RefType("linearity", ("coeffs", "dq")),
        RefType("inverselinearity", ("coeffs", "dq")),
        RefType("integralnonlinearity", nodes=("value", "inl_table")),
        RefType("gain", ("data",)),
        RefType("readnoise", ("data",), exposure_type=True),
        RefType("dark", ("dark_slope", "dark_slope_error", "dq"), exposure_type=True),
        RefType("distortion", nodes=("coordinate_distortion_transform",), element=True),
        RefType("photom", nodes=("phot_table",), schema="wfi_img_photom"),
        RefType("flat", ("data", "err", "dq"), element=True),
        RefType("epsf", ("psf",), element=True),
        RefType("apcorr", nodes=("data",)),
        RefType("bam", nodes=("bam_quaternion",), detector=False, applied=False),
    )
}
"""Types of the exposure chain and the source catalog, in the order in which the chain needs them, and those that are
only known."""

APPLIED = tuple(kind.name for kind in TYPES.values() if kind.applied)
"""Names of the types that some tool applies; the nominal instrument has these."""

ALIASES = {"inverse_linearity": "inverselinearity"} | {kind.schema: name for name, kind in TYPES.items() if kind.schema}


def type_of(word: object) -> str | None:
    """The type that a `reftype` in metadata or a schema's name stands for.

    Parameters
    ----------
    word : str
        In letters of any case; anything else is taken by its text.

    Returns
    -------
    str or None
        A key of `TYPES`; None if it is not one.
    """
    plain = str(word).strip().lower()
    plain = ALIASES.get(plain, plain)
    return plain if plain in TYPES else None
