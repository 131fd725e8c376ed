"""ASDF files: header, blocks, arrays by columns or rows; products that appear under their name when they are whole.

It imports `schema` and `names`, of other rooms `wfi` and `work`. Only `serial` imports asdf.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
