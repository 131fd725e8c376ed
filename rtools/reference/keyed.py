"""Generators of random numbers that are functions of words: what is drawn for one purpose is always the same."""

from hashlib import blake2b

import numpy as np

__all__ = ["keyed"]


def keyed(*words: object) -> np.random.Generator:
    """The generator of some words.

    Parameters
    ----------
    *words
        Their texts are hashed to the key.

    Returns
    -------
    numpy.random.Generator
        Of the bit generator Philox.
    """
    digest = blake2b("/".join(str(word) for word in words).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
