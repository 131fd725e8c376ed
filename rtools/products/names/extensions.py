"""Forms of files, and the extensions by which a name says one. Nothing here is heavy: commands are declared with it."""

from collections.abc import Sequence
from pathlib import Path

from rtools.errors import UsageError

__all__ = [
    "EXTENSIONS",
    "PICTURES",
    "TABLES",
    "TEXTS",
    "WRITTEN_TABLES",
    "form_of_name",
    "refuse_contradiction",
    "table_form",
]

TABLES = {
    "parquet": (".parquet", ".parq"),
    "ecsv": (".ecsv",),
    "csv": (".csv",),
    "fits": (".fits", ".fit"),
    "votable": (".vot", ".votable", ".xml"),
}
"""Formats of tables and their extensions, the first the one that is written."""

WRITTEN_TABLES = (*TABLES, "reg", "json")
"""Formats in which tables are written: for DS9 and as JSON they are not read back."""

TEXTS = ("ecsv", "csv", "votable", "reg", "json")
"""Formats of tables that are text."""

PICTURES = ("png", "pdf", "svg", "jpg")
"""Formats of pictures; the extension is called as the format is."""

OTHERS = ("asdf", "json", "html", "gif", "reg")

EXTENSIONS = TABLES | {form: (f".{form}",) for form in (*OTHERS, *PICTURES)}
"""All forms and their extensions."""


def form_of_name(path: str | Path) -> str | None:
    """The form that the extension of a name says, None if it says none.

    Parameters
    ----------
    path : str or Path
        Only its name is looked at.

    Returns
    -------
    str or None
        A key of `EXTENSIONS`.
    """
    name = str(path).lower()
    return next((form for form, extensions in EXTENSIONS.items() if name.endswith(extensions)), None)


def refuse_contradiction(path: str | Path, form: str) -> None:
    """Refuse a name that says another form than what would be in the file.

    Parameters
    ----------
    path : str or Path
        Name of the output.
    form : str
        What would be written, a key of `EXTENSIONS`.

    Raises
    ------
    UsageError
        Its extension says another form.
    """
    said = form_of_name(path)
    if said not in (None, form):
        mend = f"end it in {EXTENSIONS[form][0]}"
        raise UsageError(f"{form.upper()} is what would be written under this name", mend=mend, path=path)


def table_form(path: str | Path, *, option: str | None = None, forms: Sequence[str] = tuple(TABLES)) -> str:
    """Format of tables that a file's name says.

    Parameters
    ----------
    path : str or Path
        Only its name is looked at.
    option : str, optional
        What says the format, too.
    forms : sequence of str
        Formats that may be said.

    Returns
    -------
    str
        One of `forms`.

    Raises
    ------
    UsageError
        It says none.
    """
    form = form_of_name(path)
    if form in forms:
        return str(form)
    known = " ".join(extension for name in forms for extension in EXTENSIONS[name])
    raise UsageError(
        "its extension says no format of tables",
        mend=f"{option} does, or one of {known}" if option else f"give one of {known}",
        path=path,
    )
