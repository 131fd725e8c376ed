"""Instruments of JWST and their detectors, as file names spell them."""

__all__ = ["DETECTORS", "instrument_of"]

DETECTORS = {
    "nircam": (
        *(f"nrca{part}" for part in ("1", "2", "3", "4", "long")),
        *(f"nrcb{part}" for part in "1234"),
        "nrcblong",
    ),
    "niriss": ("nis",),
    "nirspec": ("nrs1", "nrs2"),
    "miri": ("mirimage", "mirifulong", "mirifushort"),
    "fgs": ("guider1", "guider2"),
}
"""Detectors of each instrument; the keyword DETECTOR has them in upper case."""


def instrument_of(detector: str) -> str | None:
    """The instrument that a detector belongs to.

    Parameters
    ----------
    detector : str
        As file names spell it: ``nrca1``.

    Returns
    -------
    str or None
        A key of `DETECTORS`; None for a detector that JWST does not have.
    """
    return next((instrument for instrument, detectors in DETECTORS.items() if detector in detectors), None)
