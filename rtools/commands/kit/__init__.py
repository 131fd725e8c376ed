"""What the tools share: options and help, inputs and outputs, messages, the loop over inputs, exit codes, completion.

It may import every room but `rtools.commands`, whose files it finds by their names (`rtools.commands.kit.tools`).
"""
