"""rt-report: one page about any number of products."""

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.outputs import Outputs
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import UsageError

__all__ = ["command", "main"]

DESCRIPTION = """\
Writes one HTML file with everything in it: it is read without a server and without a network. Takes products of Roman
and of JWST; catalog and segmentation map that lie beside an image (X_cat, X_segm) are told with it, whether they are
named or not.

What deserves a look comes first, each with what it means and what to do. Then a table of all products (sorted,
filtered, coloured by limits), and a section each for exposures (picture, flags, sky, noise against the errors that the
image claims, jumps, saturated pixels, read pattern), alignment (offsets, rms, vectors before and after), mosaics
(depth, weight, outliers of each image), catalogs (number counts, an estimate of the completeness, star sequence,
errors) and the run (failures, times, memory, references, options). The run is known from the products' own histories
and logs; --log adds the log of a run, JSON lines as --log-json or --json of rt-run write them.

A file that cannot be read is told on the page with its reason, and the exit status says so. --json prints an object
with the same numbers for each product."""


@tool(
    "rt-report",
    summary="One page about products: what is good, what is bad, and what to do.",
    description=DESCRIPTION,
    examples=(
        "rt-report cal/*_cal.asdf -o night1.html",
        "rt-report cal/* mosaics/*_coadd.asdf --log run.jsonl -o survey.html -j 0",
        "rt-report jw*_cal.fits jw*_i2d.fits -o field.html",
        "rt-report --json *_cal.asdf -o page.html | jq .values.noise_ratio",
    ),
    no_args_is_help=True,
)
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option("--log", metavar="FILE.jsonl", help="Log of the run that made them: JSON lines.")
@click.option("--title", metavar="TEXT", help="Above the page; by default how many products there are.")
@option("-o", "--output", type=Written("html"), default="report.html", metavar="FILE.html",
        help="The page; - is stdout.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a page that exists; otherwise refused, exit 1.")
@options.jobs
@options.json_output
@options.fail_fast
@options.no_checksum
def command(console, files, log, title, output, overwrite, jobs, as_json, fail_fast):
    from rtools.commands.kit.report_page import read_products, record_of, write_page
    from rtools.pipeline.report import broken, read_run_log
    from rtools.show.report import require_jinja2

    names = list(dict.fromkeys(expand_inputs(files)))
    if not names and not log:
        raise UsageError("the list names no input file")
    if as_json and output == "-":
        raise UsageError("--json and -o - do not go together", mend="standard output holds one of them")
    require_jinja2()
    target = Outputs(output, None, overwrite=overwrite, inputs=names[:1]).path(names[0] if names else "", "")
    run = read_run_log(log) if log else []
    products = []
    found = read_products(names, console.work(jobs))

    def one(name):
        product = next(found)
        if isinstance(product, Exception):
            raise product
        products.extend([product] if product else [])
        if as_json:
            json_line({"file": name, "status": "done"} | record_of(product))

    def failed(record):
        products.append(broken(record["file"], record["error"]))
        if as_json:
            json_line(record)

    status = for_each(console, names, one, fail_fast=fail_fast, report=failed)
    if any(not product.problem for product in products) or run:
        write_page(target, products, run, title)
        if target is not None and not as_json:
            click.echo(target)
    return status


main = entry(command)
