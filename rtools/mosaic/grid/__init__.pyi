from .grid import Grid, centred_grid, covering_grid, grid_like, skycell_grid
from .pixmap import ORDER, STEP, pixel_map
from .scale import mean_pixel_area, native_scale, pixel_scale_ratio

__all__ = [
    "ORDER",
    "STEP",
    "Grid",
    "centred_grid",
    "covering_grid",
    "grid_like",
    "mean_pixel_area",
    "native_scale",
    "pixel_map",
    "pixel_scale_ratio",
    "skycell_grid",
]
