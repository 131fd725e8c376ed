"""Hold a parquet catalog against what roman_datamodels makes of the same table.

Tells the metadata keys and the fields in which the two files differ, and the units that astropy and pandas
(through pyarrow) find in ours. Runs inside a judge's environment, knows nothing of rtools.
"""

import pandas
import pyarrow.parquet
from astropy.table import Table
from roman_datamodels import datamodels


def compare(image, catalog, model, out):
    table = Table.read(catalog, format="parquet")
    with datamodels.open(image) as opened:
        made = getattr(datamodels, model).create_minimal({"meta": opened.meta})
        made.meta["image"] = {"filename": opened.meta.filename, "file_date": opened.meta.file_date}
        if "Forced" in model:
            made.meta.image.forced_segmentation = "x"
        made.source_catalog = table.copy()
        made.source_catalog.meta = {}
        made.validate()
        made.to_parquet(out)
    ours, theirs = (pyarrow.parquet.read_schema(path) for path in (catalog, out))
    keys = [{key.decode() for key in schema.metadata} for schema in (ours, theirs)]
    values = [{key.decode(): value.decode() for key, value in schema.metadata.items()} for schema in (ours, theirs)]
    fields = [[[field.name, str(field.type), str(field.metadata)] for field in schema] for schema in (ours, theirs)]
    frame = pandas.read_parquet(catalog)
    return {
        "only_ours": sorted(keys[0] - keys[1]),
        "only_theirs": sorted(keys[1] - keys[0]),
        "differ": sorted(key for key in keys[0] & keys[1] if values[0][key] != values[1][key]),
        "fields": [pair for pair in zip(*fields, strict=True) if pair[0] != pair[1]],
        "units": {name: str(table[name].unit) for name in table.colnames},
        "described": sum(bool(table[name].description) for name in table.colnames),
        "pandas": {name: str(kind) for name, kind in frame.dtypes.items()},
        "rows": [len(table), len(frame)],
    }
