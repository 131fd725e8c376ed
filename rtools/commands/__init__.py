"""The tools, one small file each: it parses the command line, calls one function, and prints what came of it.

The top floor: it may import every room, and no room imports it. Nothing numeric stands here.
"""
