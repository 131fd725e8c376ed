"""Compiled part of the model of fringes: envelope times cosine and sine of each baseline; crosstalk of pixels."""

from rtools.compiled import njit

__all__ = ["add_fringes", "spread"]


@njit(nogil=True, cache=True)
def add_fringes(out, envelope, rows, columns):
    """Add the fringes of one wavelength.

    A phase is the sum of one along the rows and one along the columns, so that neither sine nor cosine is needed here.

    Parameters
    ----------
    out : ndarray float64 (1 + 2 P, n, n)
        Envelope, then cosine and sine of each baseline, summed over the samples of each pixel; added to in place.
    envelope : ndarray float64 (n k, k, n)
        Intensity behind one hole: sample rows, samples within a pixel along columns, columns.
    rows : ndarray float64 (P, 2, n k)
        Cosine and sine of the phase along rows.
    columns : ndarray float64 (P, 2, k, n)
        Those of the phase along columns.
    """
    height, samples, n = envelope.shape
    pairs = rows.shape[0]
    for r in range(height):
        row = r // samples
        for s in range(samples):
            for x in range(n):
                out[0, row, x] += envelope[r, s, x]
        for k in range(pairs):
            cosine, sine = rows[k, 0, r], rows[k, 1, r]
            for s in range(samples):
                for x in range(n):
                    light, c, d = envelope[r, s, x], columns[k, 0, s, x], columns[k, 1, s, x]
                    out[1 + 2 * k, row, x] += light * (cosine * c - sine * d)
                    out[2 + 2 * k, row, x] += light * (cosine * d + sine * c)


@njit(nogil=True, cache=True)
def spread(out, light, kernel):
    """Add to each pixel what it shows of those about it.

    Parameters
    ----------
    out : ndarray float64 (N, n, n)
        Added to in place.
    light : ndarray float64 (N, n + k - 1, n + k - 1)
        What falls on pixels, those beside the image too.
    kernel : ndarray float64 (k, k)
        Light of a neighbour at this place.
    """
    planes, rows, columns = out.shape
    for p in range(planes):
        for j in range(kernel.shape[0]):
            for i in range(kernel.shape[1]):
                share = kernel[j, i]
                if share != 0:
                    for y in range(rows):
                        for x in range(columns):
                            out[p, y, x] += share * light[p, y + j, x + i]
