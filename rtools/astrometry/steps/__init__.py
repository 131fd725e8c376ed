"""The step that aligns images: its declaration."""
