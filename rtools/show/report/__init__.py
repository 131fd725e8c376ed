"""A report as one page of HTML, with its pictures in it: templates of jinja2, plots as SVG, no word from elsewhere.

Of other parts of `show` it imports colours and stretches.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
