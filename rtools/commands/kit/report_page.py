"""Products of a command line read for a report, and the page written: of rt-report, and of --report of rt-run."""

from contextlib import suppress
from functools import partial
from pathlib import Path

from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.outputs import deliver
from rtools.errors import RtoolsError
from rtools.remote import marks

__all__ = ["read_products", "record_of", "with_page", "write_page"]


def read_products(names, work):
    """Products in the order of their names, read on threads; what went wrong with one takes its place.

    Parameters
    ----------
    names : sequence of str
        As they were typed, each once.
    work : rtools.work.Work
        Its threads read a product each.

    Returns
    -------
    iterator of (rtools.pipeline.report.ProductFindings, None or Exception)
        None for a catalog or a segmentation map that is told with its image.
    """
    from rtools.pipeline.report import picture_side

    paths = {name: local_path(name) for name in names}
    told_with = _told_with(paths.values())
    return work.each(partial(_read, told_with=told_with, side=picture_side(len(names))), paths.items())


def _told_with(paths):
    """Files that are told with an image that is named, too, and can be opened."""
    from rtools.pipeline.report import companions
    from rtools.products.opening import open_any

    found = set()
    for path in paths:
        beside = companions(path)
        with suppress(RtoolsError):
            if beside:
                open_any(path).close()
                found |= {one.resolve() for one in beside.values()}
    return found


def _read(item, told_with, side):
    """A product, None where it is told with another, or the exception that it came to."""
    from rtools.pipeline.report import read_product

    name, path = item
    try:
        if Path(path).resolve() in told_with:
            _look_at(path)
            return None
        return read_product(path, marks.source_of(path) or name, side)
    except Exception as error:
        return error


def _look_at(path):
    """Refuse a file that is told with its image and cannot be opened."""
    from rtools.products.forms import form_of
    from rtools.products.opening import open_any
    from rtools.products.tables import read_table

    form = form_of(path)
    if form in ("parquet", "ecsv"):
        read_table(path, form)
    else:
        open_any(path).close()


def record_of(product):
    """What --json says of a product besides its name and its status.

    Parameters
    ----------
    product : rtools.pipeline.report.ProductFindings or None
        None where it is told with its image.

    Returns
    -------
    dict
    """
    from rtools.quality import judge

    if product is None:
        return {"told": "with its image"}
    identity, verdicts = product.identity, {key: judge(key, value) for key, value in product.values.items()}
    return {
        "mission": identity.mission,
        "kind": identity.kind,
        "values": dict(product.values),
        "verdicts": {key: word for key, word in verdicts.items() if word},
        "flags": dict(product.exposure.flags) if product.exposure else {},
        "remarks": list(product.remarks),
    }


def write_page(path, products, run, title=None):
    """Write the page of some products.

    Parameters
    ----------
    path : Path or None
        None for standard output.
    products : sequence of rtools.pipeline.report.ProductFindings
        In the order in which they are told.
    run : sequence of rtools.pipeline.report.RunRecord
        Of the log of the run.
    title : str, optional
        Above the page.

    Raises
    ------
    RtoolsError
        jinja2 is missing, or the page cannot be written.
    """
    from rtools.pipeline.report import gather
    from rtools.products.io.staging import Stage
    from rtools.products.schema import history
    from rtools.show.report import PageOptions, render

    count = len(products)
    title = title or f"Report on {count} product{'' if count == 1 else 's'}"
    page = render(gather(products, run), PageOptions(title, f"made {history.stamp()[:19].replace('T', ' ')} UTC"))

    def make(place):
        stage = Stage(place)
        with stage.open() as file:
            file.write(page.encode("utf-8", "replace"))
        return stage

    deliver(path, "report.html", make)


def with_page(console, directory, carry_out, *, overwrite, jobs):
    """Carry a run out, and write the page of what it made, also where it failed; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages; keeps what is said of each input.
    directory : str
        Where the page is written, as report.html.
    carry_out : callable
        The run; returns its exit status.
    overwrite : bool
        Replace a page that is there.
    jobs : int
        Threads, as ``-j`` says.

    Returns
    -------
    int

    Raises
    ------
    RtoolsError
        The page exists already, or jinja2 is missing: nothing is carried out then.
    """
    from rtools.pipeline.report import broken, records_of
    from rtools.show.report import require_jinja2

    require_jinja2()
    page = Path(directory) / "report.html"
    if page.exists() and not overwrite:
        raise RtoolsError("exists already", mend="--overwrite replaces it", path=page)
    status = carry_out()
    run = records_of(console.records)
    names = list(dict.fromkeys(path for one in run for path in one.outputs if path != "-"))
    products = [
        broken(name, str(found)) if isinstance(found, Exception) else found
        for name, found in zip(names, read_products(names, console.work(jobs)), strict=True)
        if found is not None
    ]
    if run:
        write_page(page, products, run, f"Run of {len(run)} input{'' if len(run) == 1 else 's'}")
        console.log("note", f"{page}: a page about the products")
    return status
