from .arrays import ArrayInfo
from .checksums import NO_CHECKSUM
from .face import ProductFace
from .header import TruncatedError, read_header
from .laidout import LaidOut
from .opening import open_product
from .product import Product
from .staging import Stage
from .writer import RampWriter, stage_product, write_product

__all__ = [
    "NO_CHECKSUM",
    "ArrayInfo",
    "LaidOut",
    "Product",
    "ProductFace",
    "RampWriter",
    "Stage",
    "TruncatedError",
    "open_product",
    "read_header",
    "stage_product",
    "write_product",
]
