"""Keywords and tree of a JWST file that is written again: they change together, and all else of the tree stays."""

import asdf
import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Identity, Shift, Tabular1D
from gwcs import WCS, coordinate_frames

from rtools.errors import InputError, UsageError
from rtools.products.jwst import HduChange, NewHdu, open_jwst, stage_jwst
from rtools.products.jwst.content import AsdfContent
from rtools.products.schema.nodes import is_array
from tests.support import jwst_files

MORE = """transform: &id001 !<tag:nobody.org:stranger/box-9.9.9>
  exact: 1.50e+00
  inverse: !<tag:nobody.org:stranger/box-9.9.9> {back: *id001, hexadecimal: 0x1F}
again: *id001
text: 'quoted: yes'
"""


def rewritten(tmp_path, product, changes=(), **options):
    return open_jwst(stage_jwst(tmp_path / "new_rate.fits", product, changes, **options).commit())


def is_trusted(product):
    return product.tree["_fits_hash"] == product.header_hash()


@pytest.mark.parametrize("image_tree", [False, True])
def test_a_path_and_a_keyword_change_card_and_tree(tmp_path, image_tree):
    product = open_jwst(jwst_files.made(tmp_path, "rate", image_tree=image_tree, more=MORE))
    changes = [HduChange("PRIMARY", cards={"EXP_TYPE": "NRC_TACQ"})]
    new = rewritten(tmp_path, product, changes, tree={"meta.exposure.nints": 7, "meta.mine.deep": [1, "two"]})
    assert (new.value("EXP_TYPE"), new.value("NINTS"), new.value("mine.deep")) == ("NRC_TACQ", 7, [1, "two"])
    assert new.tree["meta"]["exposure"] == {"type": "NRC_TACQ", "nints": 7}
    assert is_trusted(new) and new.tree["meta"]["only_here"] == 3
    assert new.hdu("ASDF").is_table != image_tree
    with fits.open(new.path) as hdus:
        hdus.verify("exception")


@pytest.mark.parametrize("image_tree", [False, True])
def test_nodes_that_nobody_knows_stay_as_they_were_written(tmp_path, image_tree):
    product = open_jwst(jwst_files.made(tmp_path, "rate", image_tree=image_tree, more=MORE))
    new = rewritten(tmp_path, product, tree={"meta.exposure.type": "NRC_TACQ"})
    text = new.tree_bytes().decode()
    assert text.startswith(MORE, text.index("transform:")), text


def test_arrays_inside_the_tree_stay_and_new_ones_come_behind_them(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "rate"))
    tables = [np.linspace(0, 1, 700), np.linspace(0, 1, 900) ** 2]
    first = rewritten(tmp_path, product, tree={"meta.wcs": tabular(tables[0])})
    second = open_jwst(
        stage_jwst(
            tmp_path / "two_rate.fits", first, tree={"kept": tables[1], "meta.wcs2.wcs": tabular(tables[1])}
        ).commit()
    )
    for path, table in (("meta.wcs", tables[0]), ("meta.wcs2.wcs", tables[1])):
        np.testing.assert_array_equal(second.node(path).forward_transform.lookup_table, table)
    np.testing.assert_array_equal(second.node("kept"), tables[1])
    assert is_trusted(second)
    with asdf.open(fits_bytes(second)) as opened:
        listed = [str(one["extension_uri"]) for one in opened.tree["history"]["extensions"]]
        assert len(listed) == len(set(listed)) and any("gwcs" in one for one in listed)


def fits_bytes(product):
    import io

    return io.BytesIO(product.tree_bytes())


def tabular(values):
    frame = coordinate_frames.CoordinateFrame(1, "SPATIAL", (0,), name="pixel", unit=("pix",))
    world = coordinate_frames.CoordinateFrame(1, "SPATIAL", (0,), name="world", unit=("pix",))
    return WCS([(frame, Tabular1D(np.arange(len(values)), values)), (world, None)])


def test_a_header_that_was_edited_without_the_tree_is_what_holds(tmp_path):
    path = jwst_files.made(tmp_path, "rate", more="cal_step: {}\n")
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["EXP_TYPE"] = "NRC_CORON"
        hdus[0].header["MYCARD"] = (4.5, "of nobody")
        hdus["SCI"].header["RA_REF"] = 12.25
    product = open_jwst(path)
    assert not is_trusted(product)
    new = rewritten(tmp_path, product, tree={"meta.exposure.nints": 2})
    assert is_trusted(new)
    assert new.tree["meta"]["exposure"] == {"type": "NRC_CORON", "nints": 2}
    assert new.tree["meta"]["wcsinfo"]["ra_ref"] == 12.25
    assert ["MYCARD", 4.5, "of nobody"] in new.tree["extra_fits"]["PRIMARY"]["header"]
    array = new.tree["extra_fits"]["NOBODYS"]["data"]
    assert is_array(array) and (array["source"], array["shape"]) == ("fits:NOBODYS,1", [2, 3])


def test_pixels_alone_leave_the_tree_as_it_is(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "rate", more=MORE))
    new = rewritten(tmp_path, product, [HduChange("SCI", array=product.pixels("SCI") + 1)])
    assert new.tree_bytes() == product.tree_bytes() and is_trusted(new)


def test_the_tree_knows_shapes_and_hdus(tmp_path):
    more = "data: !core/ndarray-1.0.0 {source: 'fits:1', datatype: float32, byteorder: big, shape: [8, 16]}\n"
    product = open_jwst(jwst_files.made(tmp_path, "rate", image_tree=True, more=more))
    pixels = np.ones((3, 5), "f4")
    changes = [HduChange("SCI", array=pixels), HduChange("ERR", removed=True), HduChange("NOBODYS", removed=True)]
    new = rewritten(tmp_path, product, changes, added=[NewHdu("AREA", pixels, cards={"AREACARD": 1})])
    assert [hdu.name for hdu in new.hdus] == ["PRIMARY", "SCI", "DQ", "VAR_POISSON", "VAR_RNOISE", "AREA", "ASDF"]
    assert (new.tree["data"]["source"], new.tree["data"]["shape"]) == ("fits:1", [3, 5])
    assert "err_1" not in new.tree["arrays"] and new.tree["arrays"]["dq_1"]["shape"] == [8, 16]
    assert new.tree["area"]["source"] == "fits:AREA,1" and is_trusted(new)
    assert new.tree["extra_fits"]["AREA"]["header"] == [["AREACARD", 1, ""]]


def test_a_node_by_number_follows_its_hdu(tmp_path):
    more = "dq: !core/ndarray-1.0.0 {source: 'fits:3', datatype: uint32, byteorder: big, shape: [8, 16]}\n"
    product = open_jwst(jwst_files.made(tmp_path, "rate", more=more))
    assert product.hdus[3].name == "DQ"
    new = rewritten(tmp_path, product, [HduChange("SCI", removed=True), HduChange("ERR", removed=True)])
    assert new.hdus[1].name == "DQ" and new.tree["dq"]["source"] == "fits:1"


@pytest.mark.parametrize("rows", [slice(1, 2), np.array([1, 0]), np.array([False, True])])
def test_rows_of_a_table_are_chosen_byte_by_byte(tmp_path, rows):
    product = open_jwst(jwst_files.made(tmp_path, "rateints", more=table_node(7)))
    new = rewritten(tmp_path, product, [HduChange("INT_TIMES", rows=rows)])
    old_rows = fits.getdata(product.path, "INT_TIMES")
    np.testing.assert_array_equal(fits.getdata(new.path, "INT_TIMES").tobytes(), old_rows[rows].tobytes())
    assert new.tree["int_times"]["shape"] == [len(old_rows[rows])]
    assert len(new.tree["int_times"]["datatype"]) == 7 and is_trusted(new)
    assert new.hdu("INT_TIMES").header["SOURCEID"] == 101


def table_node(columns):
    fields = ", ".join(f"{{name: c{number}, datatype: float64, byteorder: big}}" for number in range(columns))
    told = f"source: 'fits:INT_TIMES,1', datatype: [{fields}], byteorder: big, shape: [2]"
    return f"int_times: !core/ndarray-1.0.0 {{{told}}}\n"


def test_a_table_gets_other_cells_and_keeps_its_cards(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "x1dints"))
    table = product.table("EXTRACT1D")
    for name in table.colnames:
        if table[name].ndim == 2:
            table[name] = table[name][:, 1:3]
    new = rewritten(tmp_path, product, [HduChange("EXTRACT1D", table=table[:1], cards={"SOURCEID": 5})])
    read = new.table("EXTRACT1D")
    assert len(read) == 1 and new.hdu("EXTRACT1D").header["SOURCEID"] == 5
    assert new.tree["spec"][0]["source_id"] == 5
    assert [column.unit for column in new.hdu("EXTRACT1D").columns] == [
        column.unit for column in product.hdu("EXTRACT1D").columns
    ]
    for name in table.colnames:
        np.testing.assert_array_equal(read[name], table[name][:1])
        assert read[name].unit == table[name].unit and read[name].dtype == table[name].dtype


def test_history_is_told_by_cards_and_tree(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "rate"))
    new = rewritten(tmp_path, product, history=["flat-fielded, " + "at length, " * 20])
    assert new.hdus[0].header["HISTORY"][0] == "and in order"
    with asdf.open(fits_bytes(new)) as opened:
        (entry,) = opened.get_history_entries()
        assert entry["description"].startswith("flat-fielded") and entry["software"][0]["name"] == "rtools"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tree": {"meta.exposure.nints": "two"}}, "exposure.nints is of the type integer"),
        ({"tree": {"meta.exposure.zero_frame": 1}}, "exposure.zero_frame is of the type boolean"),
        ({"changes": [HduChange("PRIMARY", removed=True)]}, "the primary header cannot be left out"),
        ({"changes": [HduChange("SCI", rows=slice(1))]}, "SCI is not a table"),
        ({"added": [NewHdu("SCI", np.ones((2, 2), "f4"))]}, "there is an extension SCI,1 already"),
    ],
)
def test_what_cannot_be(tmp_path, options, message):
    product = open_jwst(jwst_files.made(tmp_path, "rate"))
    with pytest.raises(UsageError, match=message):
        stage_jwst(tmp_path / "new.fits", product, options.pop("changes", ()), **options)
    assert list(tmp_path.iterdir()) == [product.path]


def test_a_file_without_a_tree_gets_none(tmp_path):
    hdus = jwst_files.hdus_of("rate")
    hdus.pop(-1)
    path = tmp_path / "jw_rate.fits"
    hdus.writeto(path)
    new = rewritten(tmp_path, open_jwst(path), tree={"meta.exposure.type": "NRC_TACQ"})
    assert new.value("EXP_TYPE") == "NRC_TACQ" and new.tree == {}
    with pytest.raises(UsageError, match=r"no place for meta\.wcs"):
        stage_jwst(tmp_path / "no.fits", open_jwst(path), tree={"meta.wcs": 1})


def test_none_takes_away_a_card_and_its_node(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "rate"))
    first = rewritten(tmp_path, product, tree={"meta.target.ra": 5.5, "meta.target.dec": -5.5})
    gone = [HduChange("PRIMARY", cards={"TARG_RA": None, "NOVALUE": None})]
    new = open_jwst(stage_jwst(tmp_path / "gone_rate.fits", first, gone, tree={"meta.target.dec": None}).commit())
    assert new.value("target.ra") is None and new.value("TARG_DEC") is None and is_trusted(new)
    assert "NOVALUE" not in new.hdus[0].header


def test_a_tree_of_any_mission_is_written_as_it_was_read():
    content = asdf_file({"a": [1.5e-300, {"b": None}], "wcs": WCS([("in", Shift(1) | Identity(1)), ("out", None)])})
    assert AsdfContent(content).to_bytes() == content


def asdf_file(tree):
    import io

    buffer = io.BytesIO()
    asdf.AsdfFile(tree).write_to(buffer)
    return buffer.getvalue()


def test_the_tree_itself_may_be_left_out(tmp_path):
    new = rewritten(tmp_path, open_jwst(jwst_files.made(tmp_path, "rate")), [HduChange("ASDF", removed=True)])
    assert new.tree_bytes() is None and new.has("data")


@pytest.mark.parametrize("fault", [b"#ASDF", b"meta: {", b"...\n", b"--- !core"])
def test_a_damaged_tree_is_told_and_nothing_is_left(tmp_path, fault):
    path = jwst_files.made(tmp_path, "rate")
    content = path.read_bytes()
    path.write_bytes(content.replace(fault, b"}" * len(fault)))
    with pytest.raises(InputError, match="its extension ASDF"):
        stage_jwst(tmp_path / "new.fits", open_jwst(path), tree={"meta.exposure.type": "NRC_TACQ"})
    assert list(tmp_path.iterdir()) == [path]
    unchanged = stage_jwst(tmp_path / "new.fits", open_jwst(path)).commit()
    assert unchanged.read_bytes() == path.read_bytes()


def test_a_tree_that_is_changed_anywhere_is_read_or_told_to_be_damaged():
    rng = np.random.default_rng(5)
    content = asdf_file({"meta": {"a": [1, 2, {"b": "c"}], "d": np.arange(4.0)}, "e": None})
    told = set()
    for _ in range(300):
        changed = bytearray(content)
        changed[rng.integers(len(content))] = rng.integers(256)
        try:
            tree = AsdfContent(bytes(changed))
            tree.put("meta.exposure.type", "NRC_TACQ")
            told.add(AsdfContent(tree.to_bytes()).value("meta.exposure.type"))
        except InputError as error:
            told.add(type(error))
    assert told == {"NRC_TACQ", InputError}


def test_keywords_of_a_file_and_of_its_slits_find_their_nodes(tmp_path):
    product = open_jwst(jwst_files.written(tmp_path, "cal", sets=2))
    cards = {"XPOSURE": 5.5, "PHOTMJSR": 2.5, "SOURCEID": 7, "OTHER": 1}
    new = rewritten(tmp_path, product, [HduChange("SCI", number, cards=cards) for number in (1, 2)])
    assert new.tree["meta"]["exposure"]["effective_exposure_time"] == 5.5 and is_trusted(new)
    for slit in new.tree["slits"]:
        assert slit["source_id"] == 7 and slit["meta"]["photometry"]["conversion_megajanskys"] == 2.5
    assert new.tree["extra_fits"]["SCI"]["header"] == [["OTHER", 1, ""]]


def test_rows_of_any_length_cannot_be_chosen(tmp_path):
    hdus = jwst_files.hdus_of("rate")
    column = fits.Column("a", "PJ()", array=np.array([np.arange(2), np.arange(3)], dtype=object))
    hdus.insert(2, fits.BinTableHDU.from_columns([column], name="UNEVEN"))
    hdus.writeto(path := tmp_path / "jw_rate.fits")
    with pytest.raises(UsageError, match="UNEVEN has cells of any length"):
        stage_jwst(tmp_path / "new.fits", open_jwst(path), [HduChange("UNEVEN", rows=slice(1))])
    new = rewritten(tmp_path, open_jwst(path), tree={"meta.target.ra": 1.5})
    assert [cell.tolist() for cell in fits.getdata(new.path, "UNEVEN")["a"]] == [[0, 1], [0, 1, 2]]


def test_history_as_a_list_is_continued_as_one(tmp_path):
    more = "history:\n- !core/history_entry-1.0.0 {description: before, time: 2020-01-01 00:00:00}\n"
    product = open_jwst(jwst_files.made(tmp_path, "rate", more=more))
    new = rewritten(tmp_path, product, tree={"meta.only_here": None}, history=["after"])
    assert [entry["description"] for entry in new.tree["history"]] == ["before", "after"]
    assert "only_here" not in new.tree["meta"]
