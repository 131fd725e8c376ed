"""Alignment to Gaia-like stars: accuracy, wrong starts, wrong locks. Monte Carlo on source lists, no pixels.

usage: alignment.py [accuracy] [wrong] [locks] [--trials N] [--seed S] [--stars N] [--weights errors|none] [-v]

accuracy: N fields (50) of one detector with stars as Gaia sees them in 2027; rms over the detector of the true error of
the corrected WCS, from a right pointing. wrong: the same from one wrong by 2 arcsec and 0.1 degree about WFI_CEN.
locks: N trials (200), a third with 3-10, with 20-100, with 2000 reference stars within the image, shift and rotation up
to the limits; as many wrong fields, sparse and crowded. A wrong lock is COMPLETE with a true error above
max(50 mas, 5 × rmse) anywhere on the detector; all COMPLETE on a wrong field are.

Gaia's errors by G follow the mission's published DR3 performance: sigma(parallax) = sqrt(40 + 800 z + 30 z²) µas with
z = 10^(0.4 (max(G, 13) - 15)), positions 0.8 and proper motions 1.03 per year of it. One star in ten
moves on no straight line (binaries, 2 mas off). The Roman source has centroid errors of 0.6 FWHM / SNR, FWHM 0.13
arcsec.
"""

import argparse
import json
import time
from functools import cache

import numpy as np

from rtools.astrometry import align as aligning
from rtools.astrometry import refcat
from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.wfi import instrument
from rtools.wfi.distortion import distortion

SIZE = 4088
EPOCH = 2027.4
STAR_MOTION = 8.0
"""Proper motion, mas/yr per axis."""


def pointing(ra, dec, roll):
    return Pointing(*instrument.WFI_CEN, ra, dec, roll)


model_of = cache(distortion)


def wcs_of(detector, where):
    return build_wcs(model_of(detector), where, 1.0, (SIZE, SIZE))


def gaia_errors(g):
    z = 10 ** (0.4 * (np.maximum(g, 13.0) - 15))
    parallax = np.sqrt(40 + 800 * z + 30 * z**2) * 1e-3
    return 0.8 * parallax, 1.03 * parallax, parallax


def draw_stars(rng, count, ra, dec, faintest=21.0):
    """True positions at the epoch of the exposure, and what Gaia says of 2016."""
    g = faintest - rng.exponential(1 / (0.2 * np.log(10)), count)
    g = np.maximum(g, 14.0)
    position, motion, parallax = gaia_errors(g)
    true = {
        "ra": ra,
        "dec": dec,
        "pmra": rng.normal(0, STAR_MOTION, count),
        "pmdec": rng.normal(0, STAR_MOTION, count),
        "parallax": rng.exponential(0.8, count),
    }
    errors = {"ra": position, "dec": position, "pmra": motion, "pmdec": motion, "parallax": parallax}
    told = {key: true[key] + rng.normal(0, errors[key]) for key in ("pmra", "pmdec", "parallax")}
    told["ra"] = ra + rng.normal(0, position) / 3.6e6 / np.cos(np.deg2rad(dec))
    told["dec"] = dec + rng.normal(0, position) / 3.6e6
    told |= {f"{key}_error": error for key, error in errors.items()}
    told |= {"ref_epoch": np.full(count, 2016.0), "phot_g_mean_mag": g}
    seen = refcat.propagate(refcat.from_table(true | {"ref_epoch": np.full(count, 2016.0)}), EPOCH)
    odd = rng.random(count) < 0.1
    angle = rng.uniform(0, 2 * np.pi, count)
    off = np.where(odd, 2.0, 0.0) / 3.6e6
    return (
        refcat.from_table(told),
        seen.ra + off * np.cos(angle) / np.cos(np.deg2rad(dec)),
        seen.dec + off * np.sin(angle),
    )


class Trial:
    """A field: the true WCS, reference stars, sources."""

    def __init__(self, rng, references, galaxies, *, common=1.0, start=(0.0, 0.0)):
        self.rng = rng
        self.detector = f"WFI{rng.integers(1, 19):02d}"
        dec = np.rad2deg(np.arcsin(rng.uniform(-0.95, 0.95)))
        self.true_pointing = pointing(rng.uniform(0, 360), dec, rng.uniform(0, 360))
        self.true = wcs_of(self.detector, self.true_pointing)
        x, y = rng.uniform(-0.5, SIZE - 0.5, (2, references))
        # stars around the image, too
        around = int(references * 0.15)
        edge = rng.uniform(-150, SIZE + 150, (2, around))
        edge = edge[:, np.any((edge < -0.5) | (edge > SIZE - 0.5), axis=0)]
        x, y = np.concatenate([x, edge[0]]), np.concatenate([y, edge[1]])
        ra, dec = self.true(x, y, with_bounding_box=False)
        self.refcat, seen_ra, seen_dec = draw_stars(rng, len(x), ra, dec)
        sx, sy = self.true.invert(seen_ra, seen_dec, with_bounding_box=False)
        inside = (sx > -0.5) & (sx < SIZE - 0.5) & (sy > -0.5) & (sy < SIZE - 0.5)
        inside &= rng.random(len(x)) < common
        self.common = int(inside.sum())
        g = self.refcat.phot_g_mean_mag[inside]
        flux = 10 ** (-0.4 * (g - 24.0)) * 10
        more = 10 ** rng.uniform(1, 2.5, galaxies)
        flux = np.concatenate([flux, more])
        snr = np.minimum(flux / np.sqrt(1 + flux / 20), 3000)
        self.error = 0.6 * (0.13 / 0.11) / snr
        gx, gy = rng.uniform(-0.5, SIZE - 0.5, (2, galaxies))
        self.x = np.concatenate([sx[inside], gx]) + rng.normal(0, np.hypot(self.error, 0.002))
        self.y = np.concatenate([sy[inside], gy]) + rng.normal(0, np.hypot(self.error, 0.002))
        self.flux = flux
        self.start = self._wrong(*start)

    def _wrong(self, shift, rotation):
        angle = self.rng.uniform(0, 2 * np.pi)
        p = self.true_pointing
        return p._replace(
            ra_ref=p.ra_ref + shift / 3600 * np.cos(angle) / np.cos(np.deg2rad(p.dec_ref)),
            dec_ref=p.dec_ref + shift / 3600 * np.sin(angle),
            roll_ref=p.roll_ref + rotation,
        )

    def align(self, reference=None, options=None):
        wcs = wcs_of(self.detector, self.start)
        image = aligning.ImageSources(self.x, self.y, self.error, self.error, wcs, self.start, EPOCH, self.flux)
        began = time.perf_counter()
        result = aligning.align([image], self.refcat if reference is None else reference, options)
        return result, time.perf_counter() - began

    def residuals(self, wcs):
        """True error on a grid over the detector, mas, 2-D."""
        x, y = np.meshgrid(np.linspace(0, SIZE - 1, 25), np.linspace(0, SIZE - 1, 25))
        (ra, dec), (ra0, dec0) = (w(x, y, with_bounding_box=False) for w in (wcs, self.true))
        east = ((ra - ra0 + 180) % 360 - 180) * np.cos(np.deg2rad(dec0)) * 3.6e6
        return np.hypot(east, (dec - dec0) * 3.6e6)


def accuracy(arguments, start):
    rng = np.random.default_rng(arguments.seed)
    rms, seconds, failed, ratio = [], [], 0, []
    for _ in range(arguments.trials or 50):
        sign = rng.choice([-1, 1])
        trial = Trial(rng, arguments.stars, 600, start=(start[0], start[1] * sign))
        result, took = trial.align(options={"weights": arguments.weights})
        seconds.append(took)
        if result.status != "COMPLETE":
            failed += 1
            print("FAILED", result.reason)
            continue
        error = trial.residuals(result.wcs[0])
        rms.append(float(np.sqrt(np.mean(error**2))))
        ratio.append(error.max() / result.error_mas)
    return {
        "fields": len(rms) + failed,
        "failed": failed,
        "median_rms_2d_mas": float(np.median(rms)),
        "median_rms_per_axis_mas": float(np.median(rms) / np.sqrt(2)),
        "p90_rms_2d_mas": float(np.quantile(rms, 0.9)),
        "worst_rms_2d_mas": float(np.max(rms)),
        "median_of_worst_corner_over_predicted": float(np.median(ratio)),
        "seconds_median": float(np.median(seconds)),
        "seconds_max": float(np.max(seconds)),
    }


def locks(arguments):
    rng = np.random.default_rng(arguments.seed)
    table = {}
    for number in range(arguments.trials or 200):
        kind = ("few", "some", "many")[number % 3]
        count = {"few": rng.integers(3, 11), "some": rng.integers(20, 101), "many": 2000}[kind]
        galaxies = int(rng.choice([200, 2000, 15000]))
        shift, rotation = 6 * np.sqrt(rng.random()), rng.uniform(-0.3, 0.3)
        trial = Trial(rng, int(count), galaxies, common=rng.uniform(0.7, 1), start=(shift, rotation))
        result, took = trial.align()
        entry = table.setdefault(
            f"right, {kind}", {"n": 0, "complete": 0, "wrong": 0, "n5": 0, "complete5": 0, "s": 0.0}
        )
        done = result.status == "COMPLETE"
        entry["n"] += 1
        entry["complete"] += done
        entry["n5"] += trial.common >= 5
        entry["complete5"] += done and trial.common >= 5
        entry["s"] = max(entry["s"], took)
        if done:
            worst = trial.residuals(result.wcs[0]).max()
            if worst > max(50, 5000 * result.results["rmse"]):
                entry["wrong"] += 1
                print("WRONG", kind, trial.common, worst, result.results["rmse"] * 1000, result.log_chance)
        elif arguments.verbose:
            print(kind, trial.common, galaxies, f"{shift:.2f} {rotation:.3f}", result.reason)
        # a wrong field: stars of elsewhere
        other = Trial(rng, int(count), 0)
        other.true = trial.true
        x, y = rng.uniform(-50, SIZE + 50, (2, len(other.refcat.ra)))
        ra, dec = trial.true(x, y, with_bounding_box=False)
        result, took = trial.align(other.refcat._replace(ra=ra, dec=dec))
        entry = table.setdefault(f"wrong, {kind}", {"n": 0, "complete": 0, "chance": 0.0, "s": 0.0})
        entry["n"] += 1
        entry["complete"] += result.status == "COMPLETE"
        entry["chance"] = min(entry["chance"], result.log_chance)
        entry["s"] = max(entry["s"], took)
        if result.status == "COMPLETE":
            print("WRONG LOCK", kind, galaxies, result.results["rmse"], result.log_chance, result.results["nmatches"])
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["accuracy", "wrong", "locks"])
    parser.add_argument("--trials", type=int, default=None)
    parser.add_argument("--stars", type=int, default=38, help="reference stars in a field of accuracy")
    parser.add_argument("--weights", default="errors")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-v", "--verbose", action="store_true")
    arguments = parser.parse_args()
    jobs = {
        "accuracy": lambda: accuracy(arguments, (0.0, 0.0)),
        "wrong": lambda: accuracy(arguments, (2.0, 0.1)),
        "locks": lambda: locks(arguments),
    }
    for what in arguments.what:
        print(json.dumps({what: jobs[what]()}, indent=1))


if __name__ == "__main__":
    main()
