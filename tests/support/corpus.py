"""A small whole file of every kind that tools read."""

import json
import shutil

from tests.support.runs import done

__all__ = ["KINDS", "corpus"]

KINDS = (
    "uncal",
    "ramp",
    "cal",
    "wcs",
    "segm",
    "catalog",
    "gain",
    "coadd",
    "gw",
    "face",
    "jwst_uncal",
    "jwst_rate",
    "catalog:ecsv",
    "catalog:fits",
    "cal:fits",
    "jwst_cal",
    "asn",
    "asn:jwst",
    "log",
    "config",
    "lock",
)
"""Kinds of files; a colon separates the form where it is not the usual one."""


def corpus(product, others, folder):
    """Kind of file to the path of one.

    Parameters
    ----------
    product : callable
        Suffix to a product of Roman, as the fixture of this name.
    others : dict of str to Path
        As the fixture of this name.
    folder : Path
        Takes what is made of them.
    """
    made = {
        kind: product(suffix)
        for kind, suffix in {
            "uncal": "uncal",
            "ramp": "dqinit",
            "cal": "cal",
            "wcs": "wcs",
            "segm": "segm",
            "catalog": "cat",
        }.items()
    }
    made["catalog"] = made["cal"].with_name(made["cal"].name.replace("_cal.asdf", "_cat.parquet"))
    made |= {kind: others[kind] for kind in ("gain", "coadd", "gw", "face", "jwst_uncal", "jwst_rate")}
    made["catalog:ecsv"] = folder / "x_cat.ecsv"
    done("table", made["catalog"], "-o", made["catalog:ecsv"])
    made["catalog:fits"] = folder / "x_cat.fits"
    done("table", made["catalog"], "-o", made["catalog:fits"])
    made["cal:fits"] = folder / "x_cal.fits"
    done("fits", made["cal"], "-o", made["cal:fits"], "--sip-error", "none")
    made["jwst_cal"] = folder / others["jwst_rate"].name.replace("_rate", "_cal")
    done("run", others["jwst_rate"], "--builtin", "-o", made["jwst_cal"])
    made["asn"] = _association(folder / "x_asn.json", made["cal"], "cal")
    made["asn:jwst"] = folder / "jw01234-o001_image3_00001_asn.json"
    product = {
        "name": "jw01234-o001_t001_nircam",
        "members": [{"expname": str(made["jwst_cal"]), "exptype": "science"}],
    }
    about = {"asn_type": "image3", "asn_rule": "x", "asn_id": "o001", "program": "01234", "asn_pool": "none"}
    made["asn:jwst"].write_text(json.dumps(about | {"products": [product]}, indent=2))
    made["log"] = folder / "run.jsonl"
    done(
        "run", made["uncal"], "--builtin", "--until", "dqinit", "--outdir", folder / "logged", "--log-json", made["log"]
    )
    made["config"] = folder / "x.toml"
    made["config"].write_text('jobs = 2\n[rampfit]\nthreshold = 5\n[rt-run]\nsave-steps = true\nskip = ["flat"]\n')
    made["lock"] = folder / "refs" / "rtools-refs.lock"
    made["lock"].parent.mkdir()
    shutil.copy(made["gain"], made["lock"].parent)
    done("refs", "lock", made["lock"].parent)
    return made


def _association(path, member, kind):
    done("asn", member, "--product-name", "field", "-o", path)
    return path
