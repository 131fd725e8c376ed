"""Subcommands of rt-cube."""
