"""Regions of cutouts: rows and columns of what was typed, and pictures of them."""

from rtools.errors import RtoolsError

__all__ = ["region_of", "staged_sheet", "stamp_of"]


def region_of(product, typed, square, *, whole=False):
    """Rows and columns that are meant.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    typed : (str or None, str or None)
        A section, and the frame in which it counts.
    square : (CutPlace or None, str or None)
        A square on the sky, and the file of the WCS.
    whole : bool
        Keep what lies beyond the edges, of a square.

    Returns
    -------
    (slice, slice)

    Raises
    ------
    UsageError, InputError
        It is no section, or lies outside.
    """
    from rtools.products.edit.cutout import image_shape
    from rtools.products.edit.section import frame_of, parse_section

    shape = image_shape(product)
    try:
        if typed[0]:
            return parse_section(typed[0], shape, typed[1], frame_of(product))
        from rtools.astrometry.cutout_wcs import sky_section
        from rtools.products.edit.wcs import load_wcs

        return sky_section(load_wcs(product, square[1]), square[0].square, shape, whole=whole)
    except RtoolsError as error:
        error.path = error.path or product.path
        raise


def stamp_of(product, place, wcs):
    """Pixels of a square, with NaN beyond the edges.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    place : CutPlace
        The square.
    wcs : str or None
        File of the WCS.

    Returns
    -------
    ndarray float64 (rows, columns)
        Of a cube its last plane.
    """
    from rtools.products.edit.cutout import image_shape
    from rtools.products.io.edges import filled, within

    rows, columns = region_of(product, (None, None), (place, wcs), whole=True)
    shape = image_shape(product)
    inside = [within(span, length) for span, length in zip((rows, columns), shape, strict=True)]
    found = product.section("data", *inside).astype(float)
    while found.ndim > 2:
        found = found[-1]
    return filled(found, (rows, columns), shape)


def staged_sheet(path, stamps):
    """Draw a sheet under a temporary name.

    Parameters
    ----------
    path : Path
        Where it will appear; its extension says the form.
    stamps : list of (str, ndarray)
        Names and pixels.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    from rtools.products.io.staging import Stage
    from rtools.show.plot import save
    from rtools.show.stamps import plot_stamps

    stage = Stage(path)
    with stage.open() as file:
        save(plot_stamps(stamps), file, path.suffix[1:].lower())
    return stage
