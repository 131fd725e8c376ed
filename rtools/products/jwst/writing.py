"""A JWST product as a file again: what is not changed is copied byte by byte, and the tree goes with the headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rtools.errors import InputError, UsageError
from rtools.jwst.models import node_of_hdu
from rtools.products.io import Stage
from rtools.products.jwst.agreement import card_into_tree, header_into_tree, leaves, set_card, set_values
from rtools.products.jwst.assembly import FilePart, array_node, headers_hash, tree_part, write_parts
from rtools.products.jwst.changes import HduChange, changed_part, copy_span, kept_part, refuse_misfit
from rtools.products.jwst.content import AsdfContent
from rtools.products.jwst.demands import NewHdu
from rtools.products.jwst.new import new_part
from rtools.products.jwst.past import add_history, settled
from rtools.products.jwst.product import TREE, JwstProduct
from rtools.products.jwst.sealing import DATA, UNKNOWN
from rtools.remote.parts import open_parts

if TYPE_CHECKING:
    import yaml

    from rtools.products.jwst.hdus import JwstHdu

__all__ = ["HduChange", "rewritten_parts", "stage_jwst"]

HASH = "_fits_hash"
"""Where the tree keeps the hash of the headers."""


def stage_jwst(
    path: str | Path,
    product: JwstProduct,
    changes: Sequence[HduChange] = (),
    *,
    tree: Mapping[str, Any] | None = None,
    added: Sequence[NewHdu] = (),
    history: Sequence[Mapping[str, Any] | str] = (),
) -> Stage:
    """Write a product to a temporary file next to its place.

    Keywords and tree go together: a card that the data model knows changes its node of the tree, a node that has a
    keyword changes its card, and the tree gets the new hash of the headers, so that its readers trust it. All other
    nodes stay as they were written, also those with tags that nobody here knows, and arrays inside the extension.

    Where the headers had been edited before without the tree (the hash did not agree), all keywords are put into the
    tree first, and what no data model knows into its ``extra_fits``: then it says nothing that has become wrong. Where
    nothing but pixels changes, the tree stays as it is. A file without the extension ASDF gets none.

    To set metadata it is enough to say their path or their keyword, ``tree={"meta.exposure.type": "NRC_IMAGE"}`` or
    ``[HduChange("PRIMARY", cards={"EXP_TYPE": "NRC_IMAGE"})]``. To cut a piece out, give each image its new pixels, SCI
    its new CRPIX, and ``tree={"meta.wcs": shifted, "meta.subarray.xstart": 5}``. DATE and FILENAME are for the caller
    to set, if they are to change.

    Parameters
    ----------
    path : str or Path
        The file to be.
    product : JwstProduct
        Opened; its file must still be there.
    changes : sequence of HduChange
        At most one for each HDU; none for ECSV.
    tree : mapping of str to object, optional
        New values of nodes by their dotted path from the root (``meta.wcs``, ``slits.0.source_id``): plain values,
        mappings of them, arrays, or what asdf can write, such as a gwcs. None removes a node and its card.
    added : sequence of NewHdu
        HDUs that come before the extension ASDF; the tree gets their nodes.
    history : sequence of mapping or str
        What was done: entries of `rtools.products.schema.history.entry`, or descriptions.

    Returns
    -------
    rtools.products.io.Stage
        To be committed or discarded.

    Raises
    ------
    InputError
        An HDU is missing, the tree is damaged, or the file is no longer what it was.
    UsageError
        A change does not fit its HDU, or there is no place for a value of the tree.
    RtoolsError
        The file cannot be written.
    """
    changed = {product.hdu(one.name, one.version).number: one for one in changes}
    if len(changed) < len(changes):
        raise UsageError("two changes of one HDU")
    for number, change in changed.items():
        refuse_misfit(product.hdus[number], change)
    values = [leaf for name, value in (tree or {}).items() for leaf in leaves(value, name)]
    if product.form == "ecsv" and (values or added or history):
        raise UsageError("an ECSV table has no HDUs and no tree")
    with _opened(product.path) as source:
        parts = _Rewriting(product, changed, source).parts(values, added, settled(history, path))
        stage = Stage(path)
        with stage.open() as file:
            write_parts(file, parts)
            copy_span(file, source, (product.hdus[-1].end if product.hdus else 0, None), product.path)
    return stage


@contextmanager
def rewritten_parts(
    product: JwstProduct,
    changes: Sequence[HduChange],
    *,
    tree: Mapping[str, Any],
    added: Sequence[NewHdu] = (),
    history: Sequence[Mapping[str, Any] | str] = (),
) -> Iterator[list[FilePart]]:
    """HDUs of a product that is written again, as long as the context lasts.

    Parameters
    ----------
    product, changes, tree, added, history
        As `stage_jwst` takes them.

    Yields
    ------
    list of FilePart
        In the order of the file.
    """
    changed = {product.hdu(one.name, one.version).number: one for one in changes}
    for number, change in changed.items():
        refuse_misfit(product.hdus[number], change)
    values = [leaf for name, value in tree.items() for leaf in leaves(value, name)]
    with _opened(product.path) as source:
        yield _Rewriting(product, changed, source).parts(values, added, history)


def _opened(path):
    try:
        return open_parts(path)
    except OSError as error:
        raise InputError(f"can no longer be read ({(error.strerror or str(error)).lower()})", path=path) from None


class _Rewriting:
    """A product on its way into a new file: its HDUs, their headers, its tree once that has to change."""

    def __init__(self, product: JwstProduct, changed: Mapping[int, HduChange], source: BinaryIO) -> None:
        self.product = product
        self.changed = changed
        self.source = source
        self.model = str(product.hdus[0].header.get("DATAMODL", "")).strip() if product.hdus else ""
        self.old = [(hdu, self._part(hdu)) for hdu in product.hdus]
        self.becomes = self.model
        self.new: list[FilePart] = []

    def _part(self, hdu):
        change = self.changed.get(hdu.number)
        return kept_part(self.source, hdu) if change is None else changed_part(self.source, hdu, change)

    def parts(self, values, added: Sequence[NewHdu], history) -> list[FilePart]:
        """All HDUs of the new file."""
        self.new = [new_part(one) for one in added]
        self.becomes = next((str(value) for name, value in values if name == "meta.model_type"), self.model)
        headers = self._headers()
        altered = [hdu for hdu, part in self.old if part.header.tostring() != hdu.header.tostring()]
        gone = [hdu for hdu, _part in self.old if hdu.number in self.changed and self.changed[hdu.number].removed]
        cards = self._cards(added)
        touched = cards or values or added or history or altered or gone
        content = _content(self.product, self.model) if touched else self._unsealed()
        for key, keyword, value in cards:
            set_card(headers[key], keyword, value)
            if content is not None:
                card_into_tree(content, self.model, key, (keyword, value, ""))
        set_values(content, self.model, headers, values)
        if history:
            add_history(content, self.old[0][1].header, history)
        kept = [self._finished(hdu, part) for hdu, part in self.old if hdu not in gone]
        place = next((number for number, part in enumerate(kept) if part.name == TREE), len(kept))
        kept[place:place] = self.new
        if content is None:
            return kept
        if content.node(DATA) is not None:
            content.put(DATA, UNKNOWN)
        self._tell_arrays(content, kept, altered, gone)
        content.put(HASH, headers_hash(kept))
        return [_with_tree(part, content.to_bytes()) if part.name == TREE else part for part in kept]

    def _unsealed(self):
        """The tree, where other pixels make the checksum wrong that it keeps of them."""
        if not any(change.array is not None for change in self.changed.values()):
            return None
        content = _content(self.product, self.model)
        return content if content is not None and content.node(DATA) is not None else None

    def _headers(self):
        """Headers by EXTNAME and EXTVER; of two alike that of the first."""
        headers = {(part.name, part.version): part.header for _hdu, part in reversed(self.old)}
        for part in self.new:
            if (part.name, part.version) in headers:
                raise UsageError(f"there is an extension {part.name},{part.version} already")
            headers[part.name, part.version] = part.header
        return headers

    def _cards(self, added):
        """((EXTNAME, EXTVER), keyword, value) of all cards that are to change."""
        told = [
            ((hdu.name, hdu.version), self.changed[hdu.number].cards)
            for hdu, _part in self.old
            if hdu.number in self.changed
        ]
        told += [((one.name, one.version), one.cards) for one in added]
        return [(key, keyword.upper(), value) for key, cards in told for keyword, value in cards.items()]

    def _finished(self, hdu: JwstHdu, part: FilePart) -> FilePart:
        """An HDU whose header is copied byte by byte where no card is another."""
        return part if part.header.tostring() != hdu.header.tostring() else replace(part, text=hdu.text)

    def _tell_arrays(
        self, content: AsdfContent, parts: Sequence[FilePart], altered: Sequence[JwstHdu], gone: Sequence[JwstHdu]
    ) -> None:
        """Nodes of arrays and tables say what the HDUs of the new file are."""
        places = {(part.name, part.version): number for number, part in enumerate(parts)}
        holders = _holders(content, self.product.hdus)
        for hdu, path, node in holders:
            if hdu in gone:
                content.remove(path)
                continue
            place = places[hdu.name, hdu.version]
            if "," not in content.item(node, "source"):
                content.set_item(node, "source", f"fits:{place}")
            told = array_node(parts[place])
            if hdu in altered and told is not None:
                content.set_item(node, "shape", told["shape"])
                content.set_item(node, "datatype", told["datatype"])
        for part in self.new:
            content.put(node_of_hdu(self.becomes, part.name, part.version), array_node(part))


def _with_tree(part: FilePart, content: bytes) -> FilePart:
    """The extension ASDF as a table or an image, whichever it is, with a new tree."""
    header = part.header
    header["NAXIS1"] = len(content)
    if header["XTENSION"] != "IMAGE":
        header["TFORM1"] = f"{len(content)}B"
    return replace(tree_part(content), version=part.version, header=header)


def _content(product: JwstProduct, model: str) -> AsdfContent | None:
    """The tree; with all that the headers say, where they had been edited without it."""
    held = product.tree_bytes()
    if held is None:
        return None
    content = AsdfContent(held, product.path)
    if content.value(HASH) == product.header_hash():
        return content
    known = {hdu.number for hdu, _path, _node in _holders(content, product.hdus)}
    for hdu in product.hdus:
        if hdu.name == TREE:
            continue
        header_into_tree(content, model, (hdu.name, hdu.version), hdu.header)
        node = array_node(FilePart.of_header(hdu.name, hdu.header))
        if node is not None and hdu.number not in known:
            node["source"] = f"fits:{hdu.name},{hdu.version}"
            content.put(node_of_hdu(model, hdu.name, hdu.version), node)
    return content


def _holders(content: AsdfContent, hdus: Sequence[JwstHdu]) -> list[tuple[JwstHdu, str, yaml.MappingNode]]:
    """(HDU, path, node) of each node whose array an HDU holds, which the node names or numbers."""
    named = {f"fits:{hdu.name},{hdu.version}": hdu for hdu in reversed(hdus)}
    named |= {f"fits:{hdu.number}": hdu for hdu in hdus}
    found = [(named.get(str(content.item(node, "source"))), path, node) for path, node in content.arrays()]
    return [(hdu, path, node) for hdu, path, node in found if hdu is not None]
