from .page import PageOptions, render

__all__ = ["PageOptions", "render"]
