"""Random streams keyed by what is drawn: the same for any order of work and any number of threads."""

from hashlib import blake2b

import numpy as np

__all__ = ["generator", "state"]


def generator(*words: object) -> np.random.Generator:
    """A numpy Generator that is a function of the words alone: (seed, purpose, channel …).

    Parameters
    ----------
    *words
        What the numbers are for. Their texts, joined by ``/``, are hashed (BLAKE2b) to the seed.

    Returns
    -------
    numpy.random.Generator
        Of the bit generator SFC64.
    """
    return np.random.Generator(np.random.SFC64(_key(words, 16)))


def state(*words: object) -> np.ndarray:
    """The start of a stream for the compiled kernels; a function of the words alone.

    Parameters
    ----------
    *words
        As for `generator`.

    Returns
    -------
    ndarray uint64, (1,)
        The state of SplitMix64, which the kernels move on in place.
    """
    return np.array([_key(words, 8)], dtype=np.uint64)


def _key(words, size):
    digest = blake2b("/".join(str(word) for word in words).encode(), digest_size=size).digest()
    return int.from_bytes(digest, "little")
