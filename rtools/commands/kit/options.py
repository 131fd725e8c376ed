"""Bundles of options that several tools share; each is written once, as a decorator."""

import click

from rtools.commands.kit.tool import option
from rtools.commands.kit.values import complete_references
from rtools.commands.kit.written import Written, WrittenPlace
from rtools.products.schema import layout

__all__ = [
    "fail_fast",
    "jobs",
    "json_output",
    "named_outputs",
    "no_checksum",
    "outputs",
    "references",
    "running",
    "section",
    "writing",
]


def _bundle(*options):
    def decorate(function):
        for decorator in reversed(options):
            function = decorator(function)
        return function

    return decorate


json_output = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

fail_fast = click.option("--fail-fast", is_flag=True, help="Stop at the first input that fails.")

no_checksum = click.option(
    "--no-checksum",
    is_flag=True,
    help="Take arrays as they are, without comparing them with the MD5 that their file keeps of them.",
)
"""For all tools that read arrays; `rtools.commands.kit.tool.tool` obeys it."""

jobs = option("-j", "--jobs", default=1, metavar="N", help="Threads; 0 for all cores.")


def _amount(_context, param, value):
    """Refuse what is no amount of memory."""
    if value is not None and not 0 < value < float("inf"):
        raise click.BadParameter(f"{value}: a positive number expected", param=param)
    return value


running = _bundle(
    option("-j", "--jobs", default=1, metavar="N", help="Cores; 0 for all. Several inputs are worked on at a time."),
    click.option(
        "--max-memory",
        type=float,
        callback=_amount,
        metavar="GIB",
        help="Memory of all that is worked on at a time; 1.5 for each of -j by default. Of a mosaic, 2 by default.",
    ),
    click.option(
        "--log-json", type=WrittenPlace(), metavar="FILE", help="Add a line of JSON to it as each input ends."
    ),
    click.option(
        "--emit",
        type=(click.Choice(["make", "snakemake", "slurm"]), WrittenPlace()),
        metavar="make|snakemake|slurm DIR",
        help="Do nothing but write rules there, one for each job, for that program; -j is the cores of a job.",
    ),
    click.option(
        "--dask",
        metavar="ADDRESS|local[:N]",
        help="Have workers of Dask do the jobs: of that scheduler, or N processes here; -j is the threads of a job.",
    ),
)
"""For tools whose inputs become jobs: how many are under way, and where is told how they ended."""


def _outputs(name_help, outdir_help, forms):
    return _bundle(
        click.option("-o", "--output", type=Written(*forms), metavar="FILE", help=name_help),
        click.option("--outdir", type=WrittenPlace(), metavar="DIR", help=outdir_help),
        click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1."),
        click.option("-n", "--dry-run", is_flag=True, help="Say what would be done; write nothing."),
    )


def outputs(*forms):
    """Options of tools that write beside their inputs; `forms` as `rtools.commands.kit.written.Written` takes them."""
    name = "Exactly this name for the main product; - is stdout, which holds that product alone."
    return _outputs(name, "Write there; otherwise next to the input.", forms)


def named_outputs(*forms):
    """Options of tools that write only where they are told to; `forms` as `rtools.commands.kit.written.Written`."""
    name = "Exactly this name; - is stdout, which holds the result alone."
    return _outputs(name, "Write there, one file for each input.", forms)


section = _bundle(
    click.option(
        "--section", metavar="X1:X2,Y1:Y2", help="Only these pixels of the file: x first, from 0, ends exclusive."
    ),
    click.option(
        "--frame", type=click.Choice(["l1", "l2"]), help="Frame that --section counts in: l1 has the border, l2 not."
    ),
)

writing = _bundle(
    option(
        "--compression",
        type=click.Choice(["lz4", "zlib", "none"]),
        help="Of arrays; 2-D products lz4, ramps none by default.",
    ),
    option(
        "--profile",
        type=click.Choice(layout.PROFILES),
        help=f"Schema generation; default the input's, else {layout.DEFAULT_PROFILE}.",
    ),
)

references = _bundle(
    click.option(
        "--ref",
        "ref",
        multiple=True,
        metavar="TYPE=FILE",
        shell_complete=complete_references,
        help="Reference file for a type; none to do without.",
    ),
    click.option("--refdir", metavar="DIR", help="Directory of reference files (RT_REFDIR)."),
    click.option(
        "--builtin/--no-builtin",
        default=None,
        help="Fill gaps from the built-in nominal instrument, which is not for science; or never use it. Default: "
        "only for what rt-sim made, and where neither directory nor cache is configured.",
    ),
)
