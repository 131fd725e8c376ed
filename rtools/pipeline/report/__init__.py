"""What products say of themselves, and of the run that made them: read for a report, measured by `rtools.quality`.

Of other rooms of `pipeline` it imports none.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
