"""Random streams keyed by what is drawn: the same for any order of work and any number of threads."""

from hashlib import blake2b

import numpy as np

__all__ = ["generator", "state"]


def generator(*words):
    """A numpy Generator that is a function of the words alone: (seed, purpose, channel …)."""
    return np.random.Generator(np.random.SFC64(_key(words, 16)))


def state(*words):
    """The start of a stream for the compiled kernels, uint64 (1,); a function of the words alone."""
    return np.array([_key(words, 8)], dtype=np.uint64)


def _key(words, size):
    digest = blake2b("/".join(str(word) for word in words).encode(), digest_size=size).digest()
    return int.from_bytes(digest, "little")
