"""Files that lie elsewhere: what their names are, how they are fetched, and the bounded cache that keeps copies.

The floor above `errors`: it imports nothing else of rtools. fsspec is imported when the first such name is met.
"""
