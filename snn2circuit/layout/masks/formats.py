"""The names of the mask formats, for those who must not load KLayout to know them."""

BITMAPS = ("png", "tiff", "bmp")
FORMATS = ("gds", "oas", "dxf", "svg", "gerber", "rs274x", *BITMAPS, "klayout")
