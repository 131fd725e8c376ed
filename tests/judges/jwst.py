"""Open JWST files with stdatamodels and say what is in them; runs in a judge's environment, knows nothing of rtools.

Answers questions, JSON lists one a line, with JSON, one a line: ``["files", PATH, …]`` with {path: {"ok": bool,
"problem": …, "model": …, "trusted": bool, "warnings": […], "arrays": {…}, "values": {…}, "wcs": …}}, where arrays and
columns of tables are told by type, shape and hash; ``["again", PATH, OUT]`` opens a file and saves it as another.
"""

import hashlib
import json
import sys
import warnings


def judge(path):
    """Verdict on one file."""
    from stdatamodels.jwst import datamodels

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with datamodels.open(path, strict_validation=True) as model:
                model.validate()
                told = describe(model)
        except Exception as error:
            return {"ok": False, "problem": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
    return {"ok": True, "trusted": is_trusted(path, told), "warnings": [str(one.message) for one in caught], **told}


def describe(model):
    """What a model holds."""
    import numpy as np

    flat = model.to_flat_dict(include_arrays=True)
    arrays = {}
    for key, value in flat.items():
        if isinstance(value, np.ndarray) and value.dtype.names:
            arrays |= {f"{key}.{name}": fingerprint(np.asarray(value[name])) for name in value.dtype.names}
        elif isinstance(value, np.ndarray):
            arrays[key] = fingerprint(value)
    plain = {key: value for key, value in flat.items() if isinstance(value, str | int | float | bool)}
    wcs = getattr(model.meta, "wcs", None)
    position = [float(value) for value in wcs(*(3, 4, 0)[: wcs.pixel_n_dim])] if callable(wcs) else None
    return {"model": type(model).__name__, "arrays": arrays, "values": plain, "wcs": position}


def fingerprint(array):
    """Kind, bytes, shape and hash of an array, whatever its byte order; texts without blanks at their ends."""
    import numpy as np

    if array.dtype.kind in "SU":
        texts = (
            [str(text).rstrip() for text in np.char.decode(array, "ascii").ravel()]
            if array.dtype.kind == "S"
            else [str(text).rstrip() for text in array.ravel()]
        )
        return ["text", list(array.shape), hashlib.sha256(json.dumps(texts).encode()).hexdigest()]
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return [native.dtype.str, list(array.shape), hashlib.sha256(native.tobytes()).hexdigest()]


def is_trusted(path, told):
    """Whether stdatamodels takes the tree as it is: the hash of the headers agrees, and so does the model."""
    import io

    import asdf
    from astropy.io import fits
    from stdatamodels.fits_support import fits_hash

    if not path.endswith(".fits"):
        return False  # an ASDF reference
    with fits.open(path) as hdus:
        if hdus[0].header["DATAMODL"] != told["model"] or "ASDF" not in hdus:
            return False
        with asdf.open(io.BytesIO(hdus["ASDF"].data.tobytes())) as tree:
            return tree["_fits_hash"] == fits_hash(hdus)


def again(path, out):
    """Open a file and save it as another."""
    from stdatamodels.jwst import datamodels

    with datamodels.open(path) as model:
        model.save(out)
    return out


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        what, *names = json.loads(line)
        answer = {name: judge(name) for name in names} if what == "files" else again(*names)
        print(json.dumps(answer), file=answers, flush=True)
