"""The Wide Field Instrument, each fact once: frame, elements, flags, units, distortion, keys of metadata; and the sphere.

The ground floor: it imports nothing of rtools but `errors`.
"""
