"""Mask files: what leaves the house to be printed, one file of this room a format."""
