"""The functions that `import rtools` gives: arrays or files in; arrays, tables or products out; no command line.

Each takes what a user says in plain values, hands it to the rooms below, and gives back what they make. It stands on
the floor of `commands`, and imports every room but that one and `show`.
"""
