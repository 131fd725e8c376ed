"""The Wide Field Instrument, each fact once: frame, elements, flags, units, distortion, metadata keys, the sphere.

The ground floor: it imports nothing of rtools but `errors`.
"""
