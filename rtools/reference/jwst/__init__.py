"""References of JWST: the types, the built-in nominal set, which file serves an exposure.

It imports `rtools.reference`, `products`, `jwst`, `wfi` and `work`.
"""
