"""Series of integrations: light curves of a target, white light of spectra, values that stand out in time.

It imports `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
