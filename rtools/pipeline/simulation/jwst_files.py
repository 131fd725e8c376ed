"""From a request to the files of a simulated exposure of JWST: references, the exposure, its truth."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.products.io import Stage
from rtools.products.io.recording import JOB_OF_IMAGE, JOB_OF_TABLE, job_beside
from rtools.products.jwst.new import NewHdu, stage_new
from rtools.products.jwst.sealing import MARK
from rtools.products.schema import history
from rtools.simulate.jwst import assumed, truth
from rtools.simulate.jwst.exposure import set_up, simulate_ramps
from rtools.simulate.jwst.images import simulate_image
from rtools.simulate.jwst.references import find_all
from rtools.work import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtools.pipeline.simulation.jwst import JwstOutput
    from rtools.products.schema.record import JobWord
    from rtools.reference.find import Config
    from rtools.simulate.jwst.exposure import JwstScene
    from rtools.simulate.jwst.request import JwstRequest
    from rtools.work import Work

__all__ = ["simulate_to_files"]


def simulate_to_files(
    request: JwstRequest,
    output: JwstOutput,
    config: Config,
    *,
    label: str = "",
    words: Sequence[JobWord] = (),
    work: Work = ALONE,
) -> None:
    """Simulate and write: all files, or none.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    output : rtools.pipeline.simulation.jwst.JwstOutput
        Names of the files.
    config : rtools.reference.find.Config
        Where references are looked for.
    label : str
        What progress calls the exposure.
    words : sequence of JobWord
        What was said to the tool, for the record.
    work : rtools.work.Work
        Threads, log and progress.

    Raises
    ------
    RtoolsError
        A file cannot be written, or a reference is missing.
    """
    references = find_all(request, config, work.log)
    scene = set_up(request, references.planes, model=references.model, work=work)
    entry = history.entry("rt-sim", parameters=request.as_parameters(), references=references.sources, words=words)
    stages: list[Stage] = []
    try:
        stages.extend(_staged(scene, output, entry, work))
        for stage in stages:
            stage.commit()
    except BaseException:
        for stage in stages:
            stage.discard()
        raise


def _staged(scene: JwstScene, output: JwstOutput, entry: dict[str, Any], work: Work) -> Iterator[Stage]:
    """Files under temporary names, the main product last."""
    if scene.request.suffix == "uncal":
        raw = simulate_ramps(scene, work=work)
        hits, meta, tree = raw.hits, scene.meta, {}
        hdus = [NewHdu("SCI", raw.data), NewHdu("GROUP", raw.groups), NewHdu("INT_TIMES", scene.int_times)]
    else:
        image = simulate_image(scene)
        hits, meta, tree = None, image.meta, image.tree
        hdus = [NewHdu(name, array) for name, array in image.arrays.items()]
        hdus += [NewHdu("INT_TIMES", scene.int_times)] if scene.request.has_integrations else []
    if output.truth_table is not None:
        yield _stage_table(output.truth_table, scene, job_beside(entry, output.truth_table, output.product))
    if output.truth_image is not None:
        yield _stage_image(output.truth_image, scene, hits, job_beside(entry, output.truth_image, output.product))
    yield stage_new(output.product, scene.request.suffix, meta, hdus, tree=tree, history=[entry])


def _stage_table(path: Path, scene: JwstScene, job: dict[str, Any]) -> Stage:
    """The light curve of a target that changes, visibilities behind the mask, else the sources, as ECSV."""
    if scene.request.masked:
        what, columns = "visibilities", truth.visibilities(scene)
    elif scene.light.target is not None and (scene.request.varies or scene.request.exposure_type == "NRC_TSIMAGE"):
        what, columns = "light curve", truth.light_curve(scene)
    else:
        what, columns = "sources", truth.source_columns(scene)
    stage = Stage(path)
    table = _table(columns)
    table.meta.update({"content": what, "note": assumed.NOTE, JOB_OF_TABLE: json.dumps(job)})
    for name, (_, unit) in columns.items():
        table[name].unit = unit
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    with stage.open() as file:
        file.write(text.getvalue().encode())
    return stage


def _table(columns):
    from astropy.table import Table

    return Table({name: values for name, (values, _) in columns.items()})


def _table_hdu(name, columns):
    """A table of FITS; units that FITS does not know, electron and DN, are written as they are."""
    from astropy.io import fits

    hdu = fits.table_to_hdu(_table(columns))
    hdu.name = name
    for number, (_, unit) in enumerate(columns.values()):
        if unit is not None:
            hdu.columns[number].unit = unit
    return hdu


def _stage_image(path: Path, scene: JwstScene, hits: dict[str, np.ndarray] | None, job: dict[str, Any]) -> Stage:
    """The true rates, where cosmic rays fell, the rays and the sources, as FITS."""
    from astropy.io import fits

    request = scene.request
    primary = fits.PrimaryHDU()
    rates = scene.truths()
    primary.header["FILENAME"] = path.name
    primary.header["VARIES"] = (len(rates) > 1, "SCI has a plane for each integration")
    primary.header[JOB_OF_IMAGE] = json.dumps(job)
    primary.header.add_history(f"{MARK}{job['fingerprint']}")
    primary.header.add_comment(assumed.NOTE)
    primary.header.add_comment("SCI: what a perfect rate holds; flat field and capacitance between pixels are in it")
    primary.header.add_comment("SHARP: the same without the capacitance, for a chain that corrects it")
    sharp = np.stack([scene.sharp(number) for number in range(len(rates))])
    hdus = [primary]
    for name, images in (("SCI", rates), ("SHARP", sharp)):
        hdus.append(fits.ImageHDU(images if len(images) > 1 else images[0], name=name))
        hdus[-1].header["BUNIT"] = "DN/s"
    if hits is not None:
        struck = np.zeros((request.integrations, request.part.rows, request.part.columns), np.uint8)
        struck[hits["integration"], hits["y"], hits["x"]] = 1
        hdus.append(fits.ImageHDU(struck, name="RAYMASK"))
        kept = {"integration": hits["integration"] + 1, "group": hits["group"] + 1, "y": hits["y"], "x": hits["x"]}
        rows: truth.Columns = {name: (values.astype(np.int32), None) for name, values in kept.items()}
        rows["electrons"] = (hits["electrons"].astype(np.float32), "electron")
        hdus.append(_table_hdu("RAYS", rows))
    sources = truth.source_columns(scene)
    if sources:
        hdus.append(_table_hdu("SOURCES", sources))
    whole = io.BytesIO()
    fits.HDUList(hdus).writeto(whole)
    stage = Stage(path)
    with stage.open() as file:
        file.write(whole.getbuffer())
    return stage
