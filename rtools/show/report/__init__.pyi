from .page import PageOptions, render, require_jinja2

__all__ = ["PageOptions", "render", "require_jinja2"]
