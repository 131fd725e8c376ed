"""Where all runs meet: requests, jobs that know what they wait for, names of outputs and refusals, one loop.

It imports `products`, `reference` and `work`, and no other room of `pipeline`.
"""
