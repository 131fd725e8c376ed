"""Open and validate products with roman_datamodels; runs inside a judge's environment, knows nothing of rtools.

Answers questions, JSON lists one a line, with JSON, one a line: ``["files", PATH, …]`` with
{path: {"ok": bool, "model": …, "problem": …, "arrays": {…}}}, ``["catalog", …]`` as `catalog.compare` does,
``["products", DIRECTORY]`` with the names of all models, of each of which a small file of made-up data is there then.
"""

import json
import sys
import traceback
import warnings


def judge(path):
    """Verdict on one file: opens, validates, every block matches its checksum."""
    import asdf
    import numpy as np
    import roman_datamodels.datamodels as rdm

    try:
        with asdf.config_context() as settings:
            settings.validate_on_read = False
            with asdf.open(path, lazy_load=False, memmap=False, validate_checksums=True):
                pass
        asdf.get_config().validate_on_read = True
        with rdm.open(path) as model:
            model.validate()
            flat = model.to_flat_dict(include_arrays=True)
            arrays = {key: [str(value.dtype), list(value.shape)] for key, value in flat.items() if is_array(value, np)}
            return {"ok": True, "model": type(model).__name__, "arrays": arrays, "wcs": wcs_value(model)}
    except Exception as error:
        return {"ok": False, "problem": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}


def is_array(value, np):
    """Whether a leaf of the flat dict is an array."""
    return isinstance(value, np.ndarray) or (hasattr(value, "dtype") and hasattr(value, "shape"))


def wcs_value(model):
    """Sky position of pixel (10, 20), where there is a WCS."""
    wcs = model.meta.get("wcs") if hasattr(model.meta, "get") else None
    return [float(value) for value in wcs(10, 20)] if callable(wcs) else None


def products(directory):
    """Write one small file of every kind that there is; names of the models."""
    from roman_datamodels.datamodels import MODEL_REGISTRY

    for model in MODEL_REGISTRY.values():
        model.create_fake_data(shape=(8, 8, 8)).save(f"{directory}/{model.__name__}.asdf")
    return sorted(model.__name__ for model in MODEL_REGISTRY.values())


def answer(what, *names):
    """Answer to one question."""
    if what == "files":
        return {path: judge(path) for path in names}
    if what == "products":
        return products(*names)
    from catalog import compare

    try:
        return compare(*names)
    except Exception:
        return {"problem": traceback.format_exc()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), file=answers, flush=True)
