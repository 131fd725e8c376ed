"""Compiled: the exact area that a pixel has in common with a circle or an ellipse.

Both follow from plane geometry, without approximation. A region's area is the sum over its edges of the signed areas
that they span with the origin: triangles along straight edges, r² φ / 2 along arcs of angle φ.
"""

import math

import numpy as np

from rtools.compiled import njit

__all__ = ["circle_on_pixels", "overlap_circle", "overlap_ellipse"]


@njit(cache=True, nogil=True)
def _quadrant(x0, y0, x1, y1, r):
    """Area of the box [x0, x1] × [y0, y1], none of it negative, in the disk of radius r about the origin."""
    r2 = r * r
    if x0 * x0 + y0 * y0 >= r2:
        return 0.0
    if x1 * x1 + y1 * y1 <= r2:
        return (x1 - x0) * (y1 - y0)
    # Left of xa the box is full; from xa to xb the circle is its upper edge; right of xb it is empty.
    xa = x0
    if y1 < r:
        xa = min(max(math.sqrt(r2 - y1 * y1), x0), x1)
    xb = min(math.sqrt(r2 - y0 * y0), x1)
    ya, yb = math.sqrt(max(r2 - xa * xa, 0.0)), math.sqrt(max(r2 - xb * xb, 0.0))
    sector = r2 * math.atan2(xb * ya - xa * yb, xa * xb + ya * yb)
    under = 0.5 * (xb * yb - xa * ya + sector)
    return (xa - x0) * (y1 - y0) + under - y0 * (xb - xa)


@njit(cache=True, nogil=True)
def _halves(x0, x1, y0, y1, r):
    """Area of the box in the disk, the box being on one side of the y axis (0 ≤ x0)."""
    if y0 >= 0:
        return _quadrant(x0, y0, x1, y1, r)
    if y1 <= 0:
        return _quadrant(x0, -y1, x1, -y0, r)
    return _quadrant(x0, 0.0, x1, y1, r) + _quadrant(x0, 0.0, x1, -y0, r)


@njit(cache=True, nogil=True)
def overlap_circle(dx, dy, r):
    """Area of the unit pixel centred on (dx, dy) in the disk of radius r about the origin.

    A pixel that an axis cuts is divided there: each part is mirrored into the quadrant where nothing is negative.
    """
    x0, x1, y0, y1 = dx - 0.5, dx + 0.5, dy - 0.5, dy + 0.5
    if x0 >= 0:
        return _halves(x0, x1, y0, y1, r)
    if x1 <= 0:
        return _halves(-x1, -x0, y0, y1, r)
    return _halves(0.0, x1, y0, y1, r) + _halves(0.0, -x0, y0, y1, r)


@njit(cache=True, nogil=True)
def circle_on_pixels(rows, columns, centre, r):
    """Area of every pixel of an image that lies in the disk of radius r about `centre`, x and y in pixels from 0."""
    x, y = centre
    area = np.zeros((rows, columns))
    for i in range(max(0, math.floor(y - r)), min(rows, math.ceil(y + r) + 1)):
        for j in range(max(0, math.floor(x - r)), min(columns, math.ceil(x + r) + 1)):
            area[i, j] = overlap_circle(j - x, i - y, r)
    return area


@njit(cache=True, nogil=True)
def _edge(x0, y0, x1, y1):
    """Twice the signed area of the triangle (origin, 0, 1) in the unit disk.

    The part of the edge inside the disk spans a triangle, the parts outside span arcs.
    """
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    middle = x0 * dx + y0 * dy
    inside = middle * middle - length2 * (x0 * x0 + y0 * y0 - 1)
    if inside > 0:
        root = math.sqrt(inside)
        enter, leave = (-middle - root) / length2, (-middle + root) / length2
        if enter < 1 and leave > 0:
            xa, ya, xb, yb = x0, y0, x1, y1
            area = 0.0
            if enter > 0:
                xa, ya = x0 + enter * dx, y0 + enter * dy
                area += math.atan2(x0 * ya - y0 * xa, x0 * xa + y0 * ya)
            if leave < 1:
                xb, yb = x0 + leave * dx, y0 + leave * dy
                area += math.atan2(xb * y1 - yb * x1, xb * x1 + yb * y1)
            return area + xa * yb - ya * xb
    return math.atan2(x0 * y1 - y0 * x1, x0 * x1 + y0 * y1)


@njit(cache=True, nogil=True)
def overlap_ellipse(dx, dy, a, b, turn):
    """Area of the unit pixel centred on (dx, dy) in an ellipse about the origin; `turn` (cos, sin) of its angle.

    The map that makes the ellipse the unit disk makes the pixel a parallelogram; the area is summed over its edges.
    """
    cos, sin = turn
    u, v = (cos * dx + sin * dy) / a, (cos * dy - sin * dx) / b
    ux, vx = 0.5 * cos / a, -0.5 * sin / b
    uy, vy = 0.5 * sin / a, 0.5 * cos / b
    reach = 1 + math.hypot(abs(ux) + abs(uy), abs(vx) + abs(vy))
    if u * u + v * v >= reach * reach:
        return 0.0
    u0, v0 = u - ux - uy, v - vx - vy
    u1, v1 = u + ux - uy, v + vx - vy
    u2, v2 = u + ux + uy, v + vx + vy
    u3, v3 = u - ux + uy, v - vx + vy
    if max(max(u0 * u0 + v0 * v0, u1 * u1 + v1 * v1), max(u2 * u2 + v2 * v2, u3 * u3 + v3 * v3)) <= 1:
        return 1.0
    area = _edge(u0, v0, u1, v1) + _edge(u1, v1, u2, v2) + _edge(u2, v2, u3, v3) + _edge(u3, v3, u0, v0)
    return max(0.5 * a * b * area, 0.0)
