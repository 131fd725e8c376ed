"""What is wrong with a product: the schema of its own tag, and our description of its kind."""

from rtools.products.check.layout import check_layout
from rtools.products.io import serial
from rtools.products.schema import tags

__all__ = ["validate_tree"]


def validate_tree(product):
    """Everything that is wrong with an opened file's tree.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Of any kind: exposure, guide window, FACE, mosaic, reference; of any age.

    Returns
    -------
    list of str
        One line each, ``where: what``; empty for a good file.
    """
    manifest = tags.manifest_of(product.tag)
    if manifest is None:
        found = [f"the tree: no manifest of the installed rad has the tag {product.tag}"]
    else:
        problem = serial.problem(product.tree, manifest)
        found = [problem] if problem else []
    return found + [line for line in check_layout(product) if line not in found]
