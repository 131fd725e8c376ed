"""Writing cutouts of Roman files: ASDF, or FITS."""

from pathlib import Path

__all__ = ["maker"]


def maker(console, product, part, writing, *, work):
    """A function that stages the cutout of a Roman product under a path.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    product : rtools.products.io.product.Product
        Opened.
    part : rtools.commands.kit.cut_jwst_files.Cutting
        What is cut.
    writing : dict
        ``compression`` and ``profile``; ``form``: ``fits`` or ``asdf``; ``whole_frame``.
    work : rtools.work.Work
        Its threads decode.

    Returns
    -------
    callable
        ``make(path)`` gives the stage.
    """
    from rtools.products.schema import history, profiles

    meta, arrays = part.cut(work)
    chosen, said = profiles.kept(writing["profile"], [product])
    source = str(meta.get("filename") or Path(product.path).name)
    record = history.entry("rt-cut", parameters=part.parameters, inputs=[product.path])
    if "cal_logs" in meta:
        meta["cal_logs"] = [*meta["cal_logs"], history.log_line("info", f"rt-cut {part.told} of {source}")]

    def staged(path):
        return _staged(path, product, (meta, arrays), (chosen, writing["compression"], record), work)

    def make(path):
        stage = _as_fits(console, path, staged, writing, work) if writing["form"] == "fits" else staged(path)
        for text in (*said, *stage.messages):
            console.log("warning", f"{path}: {text}")
        return stage

    return make


def _staged(path, product, content, how, work):
    from rtools.products.io.writer import stage_product
    from rtools.products.schema import tags

    (meta, arrays), (profile, compression, record) = content, how
    kind = f"reference/{product.reftype}" if product.reftype else product.kind
    return stage_product(
        path,
        kind,
        meta,
        arrays,
        profile=profile,
        as_is=tags.tag(kind, profile) == product.tag,
        compression=compression or ("none" if kind in ("l1_uncal", "ramp") else "lz4"),
        history=[*product.history, record],
        work=work,
    )


def _as_fits(console, path, staged, writing, work):
    """The stage of a FITS file, made as rt-fits makes it of the cutout."""
    from rtools.pipeline.astrometry.fits_header import sky_cards
    from rtools.products.fits import stage_fits
    from rtools.products.io import open_product

    whole = staged(Path(path).with_suffix(".asdf"))  # beside it, because the record of the job has paths from there
    try:
        with open_product(whole.temporary) as product:
            sky, compressed = sky_cards(product, log=console.log), writing["compression"] != "none"
            slim = not writing["whole_frame"]
            return stage_fits(path, product, sky=sky, slim=slim, compressed=compressed, told=False, work=work)
    finally:
        whole.discard()
