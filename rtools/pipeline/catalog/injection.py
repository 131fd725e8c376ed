"""Injection of sources into the mosaics of a multiband catalog, and the tables of what is found of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtools.catalog.measure.measure import Options
    from rtools.catalog.multiband.detection import Band
    from rtools.catalog.multiband.multiband import MultibandFound
    from rtools.pipeline.catalog.multiband import FilterMosaic
    from rtools.work import Work

from dataclasses import replace

import numpy as np

from rtools.wfi import metadata
from rtools.wfi.instrument import zero_point
from rtools.wfi.units import NJY_MAGNITUDE

__all__ = ["inject_and_recover"]


COLUMNS = ("label", "type", "ra", "dec", "x_pos", "y_pos", "n", "half_light_radius", "pa", "ba")


def inject_and_recover(
    members: Sequence[FilterMosaic],
    bands: Sequence[Band],
    found: MultibandFound,
    options: Mapping[str, Any],
    *,
    measuring: Options,
    work: Work,
) -> dict[str, Any]:
    """Catalog the mosaics again with sources added.

    Parameters
    ----------
    members : sequence of rtools.pipeline.catalog.multiband.FilterMosaic
        The mosaics.
    bands : sequence of rtools.catalog.multiband.detection.Band
        Of the same mosaics, in the same order.
    found : rtools.catalog.multiband.multiband.MultibandFound
        The catalog without them.
    options : dict
        Of the step; `inject_seed` is a number.
    measuring : rtools.catalog.measure.measure.Options
        As for the catalog.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    dict
        injected_sources, recovered_sources (`astropy.table.Table`), and si_data, si_detection_image with
        save_debug_info. Empty where there is no place for a source.

    Notes
    -----
    The light of a source has the noise of its photons, by the zero point of its filter and the exposure time; data,
    errors and Poisson variances have it all three.
    """
    from rtools.catalog.measure import sky
    from rtools.catalog.multiband import injection
    from rtools.catalog.multiband.multiband import multiband_catalog

    rng = np.random.default_rng(options["inject_seed"])
    x, y = injection.source_grid(np.isfinite(found.detection_image), rng)
    if not x.size:
        work.log("warning", "multiband: no place for injected sources")
        return {}
    times = {member.element: float(metadata.get(member.product.meta, "coadd_info.exposure_time")) for member in members}
    sources = injection.draw(x, y, times, rng)
    wcs = members[0].product.node("meta.wcs")
    slopes = np.moveaxis(sky.jacobian(wcs, x, y), 2, 0)
    added = [
        band._replace(load=_Injecting(band, sources, slopes, times[band.name], (options["inject_seed"], number)))
        for number, band in enumerate(bands)
    ]
    again = multiband_catalog(added, options, measuring=measuring, work=work)
    ra, dec = sky.positions(wcs, x, y)
    after, before = ((each.values["ra"], each.values["dec"]) for each in (again, found))
    rows, best, nearest = injection.recovered((ra, dec, sources.radius), after, before)
    tables = {
        "injected_sources": _injected_table(sources, ra, dec),
        "recovered_sources": _recovered_table(again, rows, best, nearest),
    }
    caught = np.count_nonzero(best >= 0)
    work.log("note", f"multiband: {caught} of {len(x)} injected sources recovered")
    if options["save_debug_info"]:
        tables |= {"si_data": again.labels.astype(np.uint32), "si_detection_image": again.detection_image}
    return tables


class _Injecting:
    """Loads a band's planes with sources in them, the same each time."""

    def __init__(self, band, sources, slopes, time, seed):
        self.band, self.sources, self.slopes, self.time, self.seed = band, sources, slopes, time, seed

    def __call__(self):
        from rtools.catalog.measure import sky
        from rtools.catalog.measure.image import MJYSR_BRIGHTNESS

        planes = self.band.load()
        area = sky.centre_side(planes.wcs, planes.data.shape) ** 2
        scale = np.float32(MJYSR_BRIGHTNESS * area)
        light = self._light(planes.data.shape, area / np.abs(np.linalg.det(self.slopes)))
        photons = 10 ** (-0.4 * (NJY_MAGNITUDE - zero_point(None, self.band.name))) * max(self.time, 1.0)
        variance = np.clip(light, 0, None) / np.float32(photons)
        rng = np.random.default_rng(self.seed)
        noise = rng.standard_normal(light.shape, dtype=np.float32)
        noise *= np.sqrt(variance)
        light += noise
        variance /= scale**2
        poisson = None if planes.var_poisson is None else planes.var_poisson + variance
        err = np.sqrt(planes.err.astype(np.float32) ** 2 + variance)
        return replace(planes, data=planes.data + light / scale, err=err, var_poisson=poisson)

    def _light(self, shape, share):
        """The sources alone, nJy per pixel of the centre's size, each times its `share`.

        Mosaics hold surface brightness: where a pixel is smaller, the same light is more of it.
        """
        from rtools.simulate import render

        sources, psf = self.sources, self.band.psf()
        flux = share * 10 ** (-0.4 * (sources.magnitude[self.band.name] - NJY_MAGNITUDE))
        image = np.zeros(shape, np.float32)
        star, wide = sources.star, ~sources.star
        render.add_stars(image, psf, sources.x[star], sources.y[star], flux[star])
        jacobian = np.linalg.inv(self.slopes[wide])
        outline = render.shape_matrices(sources.radius[wide], sources.axis_ratio[wide], sources.angle[wide], jacobian)
        render.add_galaxies(
            image, psf, sources.x[wide], sources.y[wide], flux[wide], sersic=sources.sersic[wide], shapes=outline
        )
        return image


def _injected_table(sources, ra, dec):
    """What was injected, a row a source; fluxes in units of AB magnitude 0."""
    from astropy.table import Table

    kinds = np.where(sources.star, "PSF", "SER")
    values = (np.arange(len(ra)), kinds, ra, dec, sources.x, sources.y, sources.sersic, sources.radius, sources.angle,
              sources.axis_ratio)  # fmt: skip
    table = Table(dict(zip(COLUMNS, values, strict=True)))
    for name, magnitude in sources.magnitude.items():
        table[name] = 10 ** (-0.4 * magnitude)
    for name, unit in (("ra", "deg"), ("dec", "deg"), ("half_light_radius", "arcsec"), ("pa", "deg")):
        table[name].unit = unit
    return table


def _recovered_table(found, rows, best, nearest):
    """Rows of the catalog that may be injected sources."""
    from astropy.table import Column, Table

    table = Table()
    for name, dtype, unit, _definition in found.columns:
        table[name] = Column(np.asarray(found.values[name])[rows].astype(dtype, copy=False), unit=unit)
    table["best_injected_index"] = best
    table["dist_nearest"] = Column(nearest, unit="arcsec")
    return table
