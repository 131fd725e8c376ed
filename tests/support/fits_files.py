"""What the tests of rt-fits share: conversions, small products of every kind, and whether nothing was lost."""

import warnings
from pathlib import Path

import asdf
from astropy.io import fits

from rtools.products.io import header, staging
from rtools.products.schema import nodes
from tests.support import samples
from tests.support.runs import arrays, tool

STAMPED = ("filename", "file_date")


def there(source, directory, *options):
    """A product converted; the path of the FITS file."""
    assert tool("fits", source, "--outdir", directory, "-q", *options) == 0
    return directory / f"{Path(source).stem}.fits"


def back(source, directory, *options):
    assert tool("fits", source, "--outdir", directory, "-q", *options) == 0
    return directory / f"{Path(source).stem}.asdf"


def same_tree(one, two, path=""):
    """Assert that two trees as read are the same, tags included, but for where arrays lie and the file's stamps."""
    if path.startswith("roman.meta.") and path.split(".")[-1] in STAMPED:
        return
    assert getattr(one, "tag", None) == getattr(two, "tag", None), path
    if nodes.is_array(one):
        return
    assert type(one) is type(two), path
    if isinstance(one, dict):
        assert set(one) == set(two), path
        for key in one:
            same_tree(one[key], two[key], f"{path}.{key}" if path else key)
    elif isinstance(one, list):
        assert len(one) == len(two), path
        for place, (first, second) in enumerate(zip(one, two, strict=True)):
            same_tree(first, second, f"{path}.{place}")
    else:
        assert one == two or one != one, path


def lossless(source, tmp_path, *options):
    """Assert that a product comes back as it was; the FITS file, verified."""
    made = there(source, tmp_path / "fits", *options)
    verified(made)
    again = back(made, tmp_path / "asdf")
    same_tree(header.read_header(source)[0], header.read_header(again)[0])
    first, second = arrays(source), arrays(again)
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.dtype.newbyteorder("=") == second[name].dtype.newbyteorder("="), name
        assert array.shape == second[name].shape, name
        assert array.astype(array.dtype.newbyteorder("=")).tobytes() == second[name].tobytes(), name
    return made


def verified(path):
    """Assert that astropy finds nothing wrong with a file, nor with its checksums."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True, disable_image_compression=True) as hdus:
            hdus.verify("exception")
            for hdu in hdus:
                assert (hdu.verify_checksum(), hdu.verify_datasum()) == (1, 1), hdu.name
                hdu.data  # noqa: B018
    assert path.stat().st_size % 2880 == 0


def sample(directory, kind, name="x.asdf", change=None, *, profile="2.1.0"):
    """A small product of a kind, not checked against its schema."""
    data, known = samples.arrays(kind, profile), samples.meta(kind, profile)
    if change:
        change(known, data)
    head, inner, sources = staging.serialise(staging.build_tree(kind, known, data, profile), None)
    with open(directory / name, "x+b") as file:
        staging.write_file(file, head, inner, sources, compression="none")
    return directory / name


def by_asdf(source, target, changes, **beside):
    """A product that the asdf library wrote, with other arrays below and nodes beside ``roman``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with asdf.open(source, ignore_unrecognized_tag=True, lazy_load=False, memmap=False) as file:
            file["roman"].update(changes)
            asdf.AsdfFile({"roman": file["roman"], **beside}).write_to(target)
    return target
