"""The page: what the templates are given, and how they are filled in.

Everything that stands in a file may be anything. So jinja2 escapes whatever it is given; texts are cut at a length; no
value ever stands within a script, a style or a URL; and the page itself forbids every script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rtools import __version__
from rtools.errors import RtoolsError
from rtools.pipeline.report import Judged, Survey
from rtools.quality import METRICS
from rtools.show.report import cells, charts, pictures, run_tables

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["PageOptions", "render", "require_jinja2"]

LONGEST = 300
"""Letters of a text that is shown."""

ROWS = 400
"""Rows of a table of the run."""

CARDS = 1000
"""Products of a section that have a card of their own; the worst come first."""

PATH = re.compile(r"[MLHVZhl0-9.,-]*")

WORST = ("broken", "bad", "look", "good")


@dataclass(frozen=True)
class PageOptions:
    """How a page is made.

    Attributes
    ----------
    title : str
        Above it.
    made : str
        Date and time that it says it was made at.
    """

    title: str = "Report"
    made: str = ""


def render(report: Survey, options: PageOptions) -> str:
    """The page of a report.

    Parameters
    ----------
    report : rtools.pipeline.report.Survey
        What was found.
    options : PageOptions
        How it is made.

    Returns
    -------
    str
        HTML, with everything in it.

    Raises
    ------
    RtoolsError
        jinja2 is not installed.
    """
    environment = _environment()
    names = _names(report.products)
    products = [_Item(number, one, names[number]) for number, one in enumerate(report.products)]
    keys = cells.columns_of(report.products)
    style, script = _text("style.css"), _text("script.js")
    return environment.get_template("page.html").render(
        title=options.title,
        made=options.made,
        version=__version__,
        style=_own(style),
        script=_own(script),
        style_hash=_digest(style),
        script_hash=_digest(script),
        summary=cells.summary_of(report.products),
        concerns=cells.concerns_of(report.products, names),
        columns=[(key, METRICS[key]) for key in keys],
        keys=keys,
        products=products,
        kinds=sorted({one.product.identity.kind for one in report.products if one.product.identity.kind}),
        exposures=_section(products, "exposure"),
        alignments=_section(products, "alignment"),
        mosaics=_section(products, "mosaic"),
        catalogs=_section(products, "catalog"),
        cards=CARDS,
        rows=ROWS,
        runs=run_tables.runs_of(report.run),
        steps=run_tables.steps_of(report.run),
        references=run_tables.references_of(report.products),
        settings=run_tables.options_of(report.products),
        warnings=run_tables.warnings_of(report.products),
        commands=_commands(report.products),
        metrics=[(key, one, cells.limits_of(one)) for key, one in METRICS.items()],
    )


class _Item:
    """A product as the templates see it."""

    def __init__(self, number: int, judged: Judged, name: str):
        self.number, self.judged, self.name = number, judged, name
        self.product: Any = judged.product  # a section asks for what its products have
        self.identity, self.verdict = judged.product.identity, judged.verdict

    def numbers(self, keys: Sequence[str]) -> list[cells.NumberCell]:
        """Its numbers, for the table."""
        return cells.cells_of(self.judged, keys)

    def known(self, *keys: str) -> list[cells.NumberCell]:
        """Those of some numbers that it has, for its card."""
        return cells.cells_of(self.judged, [key for key in keys if key in self.product.values])

    @property
    def flags(self) -> list[tuple[str, int, float]]:
        """Name, pixels and share of each flag."""
        found = self.product.exposure
        return (
            [(name, count, 100 * count / max(1, found.pixels)) for name, count in found.flags.items()] if found else []
        )

    @property
    def whole(self) -> str:
        """The image as a picture."""
        return _own(pictures.image_uri(self.product.pictures.whole))

    @property
    def cut(self) -> str:
        """Its middle as a picture, or the whole where that shows every pixel."""
        found = self.product.pictures
        return _own(pictures.image_uri(found.whole if found.cut is None else found.cut))

    @property
    def segments(self) -> str:
        """Its sources, to be laid over `cut`."""
        return _own(pictures.segments_uri(self.product.pictures.segments))

    @property
    def depth(self) -> str:
        """The depth of a mosaic as a picture."""
        return _own(pictures.count_uri(self.product.mosaic.quality.depth_picture))

    @property
    def weight(self) -> str:
        """The weight of a mosaic as a picture."""
        return _own(pictures.count_uri(self.product.mosaic.quality.weight_picture))

    @property
    def arrows(self) -> charts.Arrows | None:
        """Moves of its stars."""
        return charts.arrows_of(self.product.alignment)

    @property
    def reads(self) -> list[tuple[float, float]]:
        """Bars of its read pattern."""
        return charts.read_bars(self.product.exposure)

    @property
    def plots(self) -> list[charts.Plot]:
        """Plots of its catalog."""
        return charts.catalog_charts(self.product.catalog)

    @property
    def depth_chart(self) -> charts.Plot:
        """How many pixels have so many images."""
        return charts.depth_chart(self.product.mosaic.quality.depths)


def _section(products, word):
    """Products that have something, the worst first where they are too many to have a card each."""
    found = [one for one in products if getattr(one.product, word) is not None]
    return found if len(found) <= CARDS else sorted(found, key=lambda one: WORST.index(one.verdict))


def _names(products):
    """Names of the files without their directories; with them where two would be the same."""
    typed = [one.product.identity.file for one in products]
    short = [name.rpartition("/")[2] or name for name in typed]
    times = Counter(short)
    return [full if times[name] > 1 else name for name, full in zip(short, typed, strict=True)]


def _commands(products):
    """Command lines that made the products, and how many each."""
    commands = (one.product.provenance.command for one in products)
    return Counter(command for command in commands if command).most_common()


def require_jinja2() -> None:
    """Stop with one line where jinja2 is not installed: before the work that a page would be about."""
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise RtoolsError("a report needs jinja2", mend="pip install 'roman-rtools[report]'") from None


def _environment() -> Environment:
    require_jinja2()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("rtools.show.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_short,
    )
    made.filters |= {"written": cells.written, "drawn": _drawn}
    return made


def _short(value: Any) -> Any:
    """A text of a file, cut where it is too long; what is made here is not."""
    if isinstance(value, str) and not hasattr(value, "__html__") and len(value) > LONGEST:
        return f"{value[:LONGEST]} …"
    return value


def _drawn(path: str) -> Any:
    """The path of a plot, which is numbers and the letters of SVG, and may be long."""
    return _own(path) if PATH.fullmatch(path) else ""


def _own(text: str) -> Any:
    """A text that is made here and holds nothing of any file."""
    from markupsafe import Markup

    return Markup(text)


def _text(name):
    return (files("rtools.show.report") / "templates" / name).read_text("utf-8")


def _digest(text):
    """How a page names the one script, or style, that it allows."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
