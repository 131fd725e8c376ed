"""What the tests of reports share: products whose numbers are known, and what a page says as a browser reads it."""

from html.parser import HTMLParser

import numpy as np
import pyarrow
from pyarrow import parquet

from rtools.products.io import open_product, writer
from rtools.products.schema import nodes
from tests.support import bands, dithers, samples, small_files

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def exposures(directory, count=4):
    """Aligned exposures with catalogs and segmentation maps beside them; their paths."""
    fit = {"status": "SUCCESS", "rmse": 0.002, "nmatches": 25, "<rot>": 1e-4, "<scale>": 1.000002}
    fit |= {"matrix": [[1.0, 0.0], [0.0, 1.0]], "shift": [0.1, -0.2]}
    made = []
    for number in range(count):
        path = directory / f"r0000101001001001001_{number + 1:04d}_wfi01_f158_cal.asdf"
        good = {
            "zodiacal_light": -1.0,
            "image_median": 0.4 + number / 100,
            "image_rms": 0.01,
            "good_pixel_fraction": 0.99,
        }
        change = {f"statistics.{key}": value for key, value in good.items()} | {"exposure.read_pattern": [[1], [2, 3]]}
        change |= {f"wcs_fit_results.{key}": value for key, value in fit.items()}
        dithers.exposure(path, number, change=change)
        catalog(path, number)
        made.append(path)
    return made


def catalog(path, number):
    """The catalog of an exposure: its true stars, and a segmentation map."""
    wcs, _pointing = dithers.place(number)
    ra, dec, peak = dithers.stars()
    x, y = wcs.invert(ra, dec, with_bounding_box=False)
    flux = 1000.0 * peak
    columns = {"label": np.arange(1, len(ra) + 1), "ra": ra, "dec": dec, "x_psf": x, "y_psf": y, "psf_flux": flux}
    columns |= {"psf_flux_err": np.sqrt(100.0**2 + flux), "fluxfrac_radius_50": np.full(len(ra), 0.1)}
    columns |= {"is_extended": np.zeros(len(ra), bool), "warning_flags": np.arange(len(ra)) % 4 // 3}
    units = {"ra": "deg", "dec": "deg", "psf_flux": "nJy", "psf_flux_err": "nJy", "fluxfrac_radius_50": "arcsec"}
    fields = [
        pyarrow.field(name, pyarrow.from_numpy_dtype(one.dtype), metadata={"unit": units.get(name, "None")})
        for name, one in columns.items()
    ]
    about = {"roman.meta.model_type": "ImageSourceCatalogModel"}
    table = pyarrow.table([pyarrow.array(one) for one in columns.values()], schema=pyarrow.schema(fields, about))
    parquet.write_table(table, path.with_name(path.name.replace("_cal.asdf", "_cat.parquet")))
    labels = np.zeros((dithers.SIZE, dithers.SIZE), np.uint32)
    inside = (x > 2) & (x < dithers.SIZE - 3) & (y > 2) & (y < dithers.SIZE - 3)
    for label, column, row in zip(columns["label"][inside], x[inside], y[inside], strict=True):
        labels[int(row) - 2 : int(row) + 3, int(column) - 2 : int(column) + 3] = label
    segments = path.with_name(path.name.replace("_cal.asdf", "_segm.asdf"))
    writer.write_product(segments, "segm_exposure", samples.meta("segm_exposure"), {"data": labels})


def unchecked(source, target, change):
    """An exposure changed by ``change(meta)`` into one that no schema allows."""
    with open_product(source) as product:
        meta = {key: value for key, value in product.meta.items() if key not in ("wcs", "exposure", "file_date")}
        meta["exposure"] = {key: product.meta["exposure"][key] for key in ("type", "exposure_time", "read_pattern")}
        arrays = {name: np.array(product.array(name)) for name in ("data", "dq", "err")}
    meta = nodes.plain({key: value for key, value in meta.items() if key not in ("ephemeris", "visit")})
    change(meta)
    return small_files.write(target, "l2_image", arrays, **meta)


def coadd(directory, depth=3):
    """A mosaic in whose left half `depth` images lie, and one in the right."""
    arrays = bands.image("F158", bands.stars(4, shape=(120, 120)), shape=(120, 120))
    arrays["context"][:] = 1
    arrays["context"][:, :, :70] = 2**depth - 1
    return bands.write(directory / "field_f158_coadd.asdf", "F158", arrays)


class Page(HTMLParser):
    """What a browser sees of a page: tags with their attributes, texts of cells, scripts.

    Attributes
    ----------
    tags : list of (str, dict)
        In order.
    rows : list of list of str
        Texts of the rows of the general table, the heading first.
    scripts : list of str
        Their texts.
    text : str
        All text but that of scripts and styles.
    """

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows, self.scripts, self.texts, self.stack = [], [], [], [], []
        self._in_table = False
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.stack.append(tag)
        if tag == "table":
            self._in_table = dict(attrs).get("id") == "products"
        if self._in_table and tag == "tr":
            self.rows.append([])
        if self._in_table and tag in ("td", "th"):
            self.rows[-1].append("")
        if tag in ("script", "style"):
            self.scripts.append("")

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop() != tag:
            pass
        if tag == "table":
            self._in_table = False

    def handle_data(self, data):
        if self.stack and self.stack[-1] in ("script", "style"):
            self.scripts[-1] += data
            return
        self.texts.append(data)
        if self._in_table and self.rows and self.rows[-1] and {"td", "th"} & set(self.stack):
            self.rows[-1][-1] += data

    @property
    def table(self):
        """Rows of the general table: name of the product to heading to text."""
        heads = [" ".join(one.split()) for one in self.rows[0]]
        return {
            row[0].strip(): dict(zip(heads, (" ".join(one.split()) for one in row), strict=False))
            for row in self.rows[1:]
        }
