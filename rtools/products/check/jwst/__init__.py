"""What is wrong with a file of JWST: one module for each subject, each finding under the name of its check (F1 to W1).

It imports `jwst` and `tables` of products, of other rooms `jwst` and `findings`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
