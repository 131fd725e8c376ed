"""rt-refs make: the nominal instruments of both missions as reference files."""

import os

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.missions import MISSIONS, mission_option, options_by_mission
from rtools.commands.kit.tool import tool
from rtools.commands.kit.written import WrittenPlace
from rtools.errors import RtoolsError, UsageError
from rtools.wfi.frame import FRAME, SMALLEST

__all__ = ["make", "print_rows"]

DESCRIPTION = """\
Not for science: part of its values are assumed. The mission is that of the detectors.

Of Roman a detector and an element take about 1.9 GB before compression; there is no nominal boresight alignment (bam).

Of JWST a detector takes about 0.5 GB. Planes are those of the full frame, which rtools and the mission's software cut
to any sub-array; the dark alone must be made for its sub-array. Files are FITS, or ASDF for coordinates and their like.

--all says the total and goes on.\
"""


@tool(
    "rt-refs make",
    summary="Write the nominal instrument, or a seeded variation of it, as reference files.",
    description=DESCRIPTION,
    examples=(
        "rt-refs make refs --detector WFI01 --element F158",
        "rt-refs make refs2 --detector WFI01 --element F158 --seed 7",
        "rt-refs make flats --detector WFI01 --detector WFI02 --element F062 --types flat -n",
        "rt-refs make refs --detector nrca1 --filter F200W",
        "rt-refs make refs --detector nis --filter F480M --types dark --subarray SUB80",
    ),
)
@click.argument("directory", type=WrittenPlace(), metavar="DIR")
@click.option("--mission", type=click.Choice(list(MISSIONS)), help="Where no detector says it: with --all.")
@click.option("--detector", "detectors", multiple=True, metavar="WFI01", help="Detector; may be repeated.")
@mission_option(
    "roman", "--element", "elements", multiple=True, metavar="F158", help="Optical element; may be repeated."
)
@mission_option("jwst", "--filter", "filters", multiple=True, metavar="F200W", help="Filter; may be repeated.")
@mission_option(
    "jwst", "--subarray", metavar="NAME|X,Y,NX,NY", help="Planes of this part alone; its first pixel is 1,1."
)
@click.option("--all", "everything", is_flag=True, help="All detectors and elements.")
@click.option("--types", multiple=True, metavar="TYPE", help="Only these types, repeated or separated by commas.")
@mission_option("roman", "--seed", default=0, show_default=True, metavar="N", help="Variation; 0 is the nominal set.")
@mission_option(
    "roman", "--size", type=click.IntRange(SMALLEST, FRAME), default=FRAME, metavar="N", help="N x N pixels, for tests."
)
@mission_option("roman", "--compression", type=click.Choice(["lz4", "zlib", "none"]), default="lz4", help="Of arrays.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Print names and sizes; write nothing.")
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
def make(console, directory, **options):
    mission = _mission(options)
    options_by_mission(console, options, {mission})
    types = [word for group in options["types"] for word in group.lower().split(",") if word]
    planned = PLANNERS[mission](console, {**options, "types": types})
    if not planned:
        raise UsageError(f"nothing to make: these types need {'an --element' if mission == 'roman' else 'a --filter'}")
    sizes = [size for _name, size, _write in planned]
    if options["everything"] or options["dry_run"]:
        console.log("warning", f"{len(planned)} files, {sum(sizes) / 1e9:.1f} GB before compression")
    paths = [os.path.join(directory, name) for name, _size, _write in planned]
    for path in paths:
        if os.path.exists(path) and not options["overwrite"]:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    if options["dry_run"]:
        _print_planned(paths, sizes, as_json=options["as_json"])
        return 0
    os.makedirs(directory, exist_ok=True)
    work = console.work(options["jobs"])
    with work.progress(f"{len(planned)} references", sum(sizes)) as progress:
        for path, (_name, size, write) in zip(paths, planned, strict=True):
            write(path, work)
            progress.advance(size)
            if options["as_json"]:
                json_line({"outputs": [path], "status": "done", "bytes": os.path.getsize(path)})
            else:
                click.echo(path)
    return 0


def _mission(options):
    """The mission of the detectors, else the one that is typed."""
    from rtools.jwst.detectors import DETECTORS

    known = {name for names in DETECTORS.values() for name in names}
    missions = {"jwst" if word.lower() in known else "roman" for word in options["detectors"]}
    if not options["detectors"] and not options["everything"]:
        raise UsageError("no detector", mend="give --detector WFI01 or nrca1, or --all")
    if len(missions | ({options["mission"]} - {None})) > 1:
        raise UsageError("detectors of one mission at a time")
    return next(iter(missions), options["mission"] or "roman")


def _plan_roman(console, options):
    """Name, bytes and writing function of every file for Roman."""
    from rtools.reference import make as making
    from rtools.wfi.frame import CHANNEL
    from rtools.wfi.instrument import DETECTORS, ELEMENTS

    everything, size = options["everything"], options["size"]
    if size % CHANNEL:
        raise UsageError(f"--size {size}: a multiple of {CHANNEL} expected")
    detectors = DETECTORS if everything else [word.upper() for word in options["detectors"]]
    elements = ELEMENTS if everything else [word.upper() for word in options["elements"]]
    planned = making.jobs(detectors, elements, types=options["types"], seed=options["seed"], frame=(size, size))
    if planned and not elements and not options["types"]:
        console.log("warning", "no --element: no flat, distortion or epsf")

    def writer(job):
        compression = options["compression"]
        return lambda path, work: making.write(path, job.source, compression=compression, work=work)

    return [(job.name, making.size(job), writer(job)) for job in planned]


def _plan_jwst(console, options):
    """Name, bytes and writing function of every file for JWST."""
    from rtools.jwst.instrument import IMAGING_DETECTORS, filter_names
    from rtools.reference.jwst import make as making

    everything = options["everything"]
    detectors = IMAGING_DETECTORS if everything else options["detectors"]
    filters = options["filters"]
    if everything:
        filters = sorted({name for detector in detectors for name in filter_names(detector)})
    parts = _parts(detectors, options["subarray"])
    planned = making.files(detectors, filters, types=options["types"], parts=parts)
    if planned and not filters and not options["types"]:
        console.log("warning", "no --filter: no flat, apcorr or throughput")

    def writer(one):
        return lambda path, _work: making.write(path, one.reference())

    return [(one.name, one.bytes, writer(one)) for one in planned]


def _parts(detectors, word):
    """The sub-array of --subarray for each detector; None for the full frame."""
    from rtools.jwst.readout import subarray, window

    if word is None:
        return None
    if "," not in word:
        return {detector: subarray(detector, word) for detector in detectors}
    try:
        x, y, columns, rows = (int(part) for part in word.split(","))
    except ValueError:
        raise UsageError(f"--subarray {word}: a name or X,Y,NX,NY expected") from None
    return {detector: window(detector, x, y, columns, rows) for detector in detectors}


PLANNERS = {"roman": _plan_roman, "jwst": _plan_jwst}


def _print_planned(paths, sizes, *, as_json):
    """Print the names of reference files that would be made, and their bytes before compression."""
    if not as_json:
        print_rows(("file", "bytes"), [(path, str(size)) for path, size in zip(paths, sizes, strict=True)])
        return
    for path, size in zip(paths, sizes, strict=True):
        json_line({"outputs": [path], "status": "planned", "bytes": size})


def print_rows(head, rows, title=None):
    """Print a table of texts; a title is a line above it, or the first field of each line in a pipe."""
    from rtools.show.table import print_table

    print_table(head, rows, labels=None, title=title)
