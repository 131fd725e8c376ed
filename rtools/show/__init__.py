"""What is shown of files and arrays: tables, screens of text, pictures on a terminal, plots.

It may import every room below `rtools.commands`; it takes products and arrays, and knows no command lines.
"""
