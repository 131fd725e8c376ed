"""rt-x1d: spectra out of slits and cubes of JWST, and out of dispersed images of Roman."""

from contextlib import suppress

import click

from rtools.commands.kit.analysis import Analysis, Wanted, analyse
from rtools.commands.kit.entry import entry
from rtools.commands.kit.idle import REFERENCE_KEYS, refuse_idle
from rtools.commands.kit.inputs import is_association, local_path, opened
from rtools.commands.kit.products import command as command_of_products
from rtools.commands.kit.written import Written
from rtools.errors import RtoolsError, UsageError
from rtools.products.names.extensions import PICTURES, form_of_name
from rtools.spectra.steps.x1d import STEP

__all__ = ["command", "main"]

COEFFICIENTS = "wavelength_coeffs"

OF_JWST = (*REFERENCE_KEYS, "source_type", "center", "radius", "annulus", "sigma_clip", "jobs", "max_memory",
           "log_json", "emit", "dask", "timings", "resume", "check_data")  # fmt: skip
"""Parameters that are about products of JWST, or about how they are worked on."""

OF_TABLES = ("parquet", "csv", "votable")
"""Forms of tables alone."""

OF_ROMAN = """

Of Roman's dispersed images (_cal of the grism and the prism, and what rt-cut cuts out of them) the same box makes a
table with a row for each pixel along the dispersion, which is along columns unless --dispaxis 1 says otherwise: pixel,
wavelength (of --wavelength-coeffs, else NaN), flux with its error and variances, background, npixels, filled, and dq,
the flags of the pixels that were used. Fluxes are in the unit of the image, of MJy/sr in Jy. There the options say
where the trace is. The table is printed, drawn by --plot, or written by -o NAME.ecsv (parquet,
csv, …), or to --outdir."""

more = (
    click.option("--wavelength-coeffs", metavar="C0,C1,…",
                 help="Roman: wavelength in micrometres, a polynomial of the pixel along the dispersion, from 0, "
                      "lowest power first."),
    click.option("--plot", type=Written(*PICTURES), metavar="FILE.png",
                 help="Roman: draw the spectrum instead of printing it; - draws in the terminal."),
)  # fmt: skip


def _before(console, inputs, jobs, options):
    """What is done with dispersed images of Roman; None where all inputs are others."""
    ours = [name for name in inputs if _is_roman(name)]
    coefficients, plot = options.pop(COEFFICIENTS), options.pop("plot")
    from rtools.pipeline.stage3.dispersed import KINDS, spectrum_of_dispersed
    from rtools.pipeline.stage3.works.x1d import refuse_impossible

    if not ours or len(ours) < len(inputs):
        _refuse_mixture(ours, KINDS)
        refuse_idle({COEFFICIENTS: "is about dispersed images of Roman: others say their wavelengths",
                     "plot": "is about dispersed images of Roman: rt-view shows spectra of JWST"})  # fmt: skip
        if (output := options["output"]) and form_of_name(output) in OF_TABLES:
            raise UsageError(f"-o {output}: spectra of JWST are written as .fits")
        return None
    refuse_idle(dict.fromkeys(OF_JWST, "is about products of JWST, and this is none"))
    if "-" in (options["output"], plot) and options["as_json"]:
        raise UsageError("--json and an output on standard output do not go together")
    keys = ("output", "outdir", "overwrite", "dry_run", "as_json", "fail_fast")
    wanted = Wanted(form=None, plot=plot, **{key: options[key] for key in keys})
    refuse_impossible(options)

    def find(name, path):
        def log(level, text):
            console.log(level, f"{name}: {text}")

        with opened(path, KINDS) as product:
            return Analysis(spectrum_of_dispersed(product, options, coefficients, log))

    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_spectrum", draw=_draw)


def _draw(found):
    from rtools.show.dispersed import chart_dispersed

    return chart_dispersed(found)


def _refuse_mixture(ours, kinds):
    """Refuse images of Roman beside products of JWST; what is no product of either is told as one of the inputs."""
    found = []
    for name in ours:
        with suppress(RtoolsError), opened(name, kinds):
            found.append(name)
    if found:
        raise UsageError("files of Roman and of JWST do not go together", mend="call rt-x1d for each", path=found[0])


def _is_roman(name):
    from rtools.products.opening import mission_of

    if is_association(name):
        return False
    with suppress(RtoolsError):
        return mission_of(local_path(name)) == "roman"
    return False


command = command_of_products(
    STEP,
    more=more,
    before=_before,
    forms=("fits", "ecsv", *OF_TABLES),
    about={
        "description": f"{STEP.description}{OF_ROMAN}\n\nPeak memory: {STEP.memory}",
        "examples": (*STEP.examples, "rt-x1d star_cal.asdf --xstart 20 --xstop 28 --bkg-coeff '4.5;14.5;34.5;44.5'"),
    },
)

main = entry(command)
