"""The subcommands of rt-gw: one file for each, and the options that they share.

It may import what `rtools.commands` may.
"""
