"""Forms of files, and the extensions by which a name says one. Nothing here is heavy: commands are declared with it."""

from pathlib import Path

from rtools.errors import UsageError

__all__ = ["EXTENSIONS", "PICTURES", "TABLES", "form_of_name", "refuse_contradiction", "table_form"]

TABLES = {
    "parquet": (".parquet", ".parq"),
    "ecsv": (".ecsv",),
    "csv": (".csv",),
    "fits": (".fits", ".fit"),
    "votable": (".vot", ".votable", ".xml"),
}
"""Formats of tables and their extensions, the first the one that is written."""

PICTURES = ("png", "pdf", "svg", "jpg")
"""Formats of pictures; the extension is called as the format is."""

OTHERS = ("asdf", "json", "html", "gif")

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


def table_form(path: str | Path, *, option: str | None = None) -> str:
    """Format of tables that a file's name says.

    Parameters
    ----------
    path : str or Path
        Only its name is looked at.
    option : str, optional
        What says the format, too.

    Returns
    -------
    str
        A key of `TABLES`.

    Raises
    ------
    UsageError
        It says none.
    """
    form = form_of_name(path)
    if form in TABLES:
        return form
    known = " ".join(extension for extensions in TABLES.values() for extension in extensions)
    raise UsageError(
        "its extension says no format of tables",
        mend=f"{option} does, or one of {known}" if option else f"give one of {known}",
        path=path,
    )
