"""Files with metadata in every form, for the tests of rt-info, rt-get and rt-set."""

import numpy as np

OLD = """#ASDF 1.0.0
#ASDF_STANDARD 1.5.0
%YAML 1.1
%TAG ! tag:stsci.edu:asdf/
--- !core/asdf-1.1.0
roman: !<asdf://stsci.edu/datamodels/roman/tags/wfi_science_raw-1.0.0>
  meta:
    telescope: !<asdf://stsci.edu/datamodels/roman/tags/telescope-1.0.0> ROMAN
    file_date: !<asdf://stsci.edu/datamodels/roman/tags/file_date-1.0.0> 2023-05-06T07:08:09.000
    exposure: !<asdf://stsci.edu/datamodels/roman/tags/exposure-1.0.0>
      start_time: !time/time-1.1.0 {value: '2023-05-06T07:08:09.5', base_format: isot, scale: utc}
      mid_time: !time/time-1.1.0 {value: 60070.5, base_format: mjd, scale: utc}
      end_time: !time/time-1.1.0 2023-05-06 07:08:09.500
      start_day: 2023-05-06
      truncated: false
      read_pattern: [[1], [2, 3]]
  data: !unit/quantity-1.1.0
    unit: !unit/unit-1.0.0 DN
    value: !core/ndarray-1.0.0
      data: [[1, 2], [3, 4]]
      datatype: uint16
      shape: [2, 2]
...
"""
"""A raw exposure as files were before manifest 1.5.0: tagged groups and strings, quantities, times in long form."""

ASSOCIATION = {
    "asn_id": "a3001",
    "asn_type": "image",
    "asn_rule": "DMS_ELPP_Base",
    "target": "270p65x50y50",
    "products": [
        {
            "name": "r00001_p_full_270p65x50y50_f158",
            "members": [
                {"expname": "a_cal.asdf", "exptype": "science"},
                {"expname": "b_cal.asdf", "exptype": "science"},
            ],
        }
    ],
}

FLAT = {
    "roman.meta.model_type": "ImageSourceCatalogModel",
    "roman.meta.exposure.type": "WFI_IMAGE",
    "roman.meta.exposure.nresultants": "3",
    "roman.meta.exposure.exposure_time": "12.5",
    "roman.meta.exposure.truncated": "False",
    "roman.meta.exposure.read_pattern.0.0": "1",
    "roman.meta.exposure.read_pattern.1.0": "2",
    "roman.meta.exposure.read_pattern.1.1": "3",
    "roman.meta.exposure.start_time": "2027-01-01T00:00:00.000",
    "roman.meta.instrument.detector": "WFI07",
    "roman.meta.observation.visit_id": "0000101001001001001",
    "source_catalog.aperture_mask_method": "mask",
    "source_catalog.kron_params.0": "2.5",
}
"""Metadata as the archive's parquet files have them: flat keys, strings."""


def catalog_parquet(path):
    """A catalog of two rows, metadata and units as the archive's are."""
    import pyarrow
    from pyarrow import parquet

    fields = [
        pyarrow.field("label", pyarrow.int32(), metadata={"unit": "None"}),
        pyarrow.field("segment_flux", pyarrow.float32(), metadata={"unit": "nJy"}),
    ]
    described = "datatype:\n- {name: label, datatype: int32, description: Label of the source}\n"
    schema = pyarrow.schema(fields, metadata=FLAT | {"table_meta_yaml": described})
    arrays = [np.array([1, 2], "i4"), np.array([3.5, 4.5], "f4")]
    table = pyarrow.table([pyarrow.array(array) for array in arrays], schema=schema)
    path = path.with_suffix(".parquet")
    parquet.write_table(table, path, compression="none")
    return path


def catalog_ecsv(path):
    """As `catalog_parquet`, by astropy, with the metadata as a tree of typed values."""
    from astropy.table import Table

    exposure = {
        "type": "WFI_IMAGE",
        "nresultants": 3,
        "exposure_time": 12.5,
        "truncated": False,
        "read_pattern": [[1], [2, 3]],
        "start_time": "2027-01-01T00:00:00.000",
    }
    meta = {
        "model_type": "ImageSourceCatalogModel",
        "exposure": exposure,
        "instrument": {"detector": "WFI07"},
        "observation": {"visit_id": "0000101001001001001"},
    }
    table = Table({"label": np.array([1, 2], "i4"), "segment_flux": np.array([3.5, 4.5], "f4")})
    table["label"].description = "Label of the source"
    table["segment_flux"].unit = "nJy"
    table.meta = {"roman": {"meta": meta}, "source_catalog": {"aperture_mask_method": "mask"}}
    path = path.with_suffix(".ecsv")
    table.write(path, format="ascii.ecsv")
    return path


def catalog_ecsv_flat(path):
    """As `catalog_ecsv`, with the flat metadata of the parquet form."""
    from astropy.table import Table

    path = catalog_ecsv(path)
    table = Table.read(path, format="ascii.ecsv")
    table.meta = dict(FLAT)
    table.write(path, format="ascii.ecsv", overwrite=True)
    return path
