"""Mask files that say much in few bytes: GDSII and OASIS records as the formats define them (SEMI P39 for OASIS)."""

from __future__ import annotations

import struct
import zlib


def gds_record(kind: int, data_type: int, data: bytes = b"") -> bytes:
    data += b"\0" * (len(data) % 2)
    return struct.pack(">HBB", 4 + len(data), kind, data_type) + data


def gds_real(value: float) -> bytes:
    exponent = 64
    while value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    return bytes([exponent]) + int(value * 2**56).to_bytes(7, "big")


def gds_file(*cells: tuple[bytes, bytes]) -> bytes:
    head = gds_record(0, 2, b"\x02\x58") + gds_record(1, 2, bytes(24)) + gds_record(2, 6, b"LIB")
    head += gds_record(3, 5, gds_real(1e-3) + gds_real(1e-9))
    bodies = (gds_record(5, 2, bytes(24)) + gds_record(6, 6, name) + body + gds_record(7, 0) for name, body in cells)
    return head + b"".join(bodies) + gds_record(4, 0)


def gds_box(layer: int = 3, sheet: int = 1, x: int = 0, y: int = 0, size: int = 100) -> bytes:
    corners = (x, y, x, y + size, x + size, y + size, x + size, y, x, y)
    place = gds_record(13, 2, struct.pack(">h", layer)) + gds_record(14, 2, struct.pack(">h", sheet))
    return gds_record(8, 0) + place + gds_record(16, 3, struct.pack(">10i", *corners)) + gds_record(17, 0)


def gds_text(text: bytes, layer: int = 3, sheet: int = 1) -> bytes:
    place = gds_record(13, 2, struct.pack(">h", layer)) + gds_record(22, 2, struct.pack(">h", sheet))
    return gds_record(12, 0) + place + gds_record(16, 3, bytes(8)) + gds_record(25, 6, text) + gds_record(17, 0)


def gds_path(points: int, layer: int = 3, sheet: int = 1) -> bytes:
    place = gds_record(13, 2, struct.pack(">h", layer)) + gds_record(14, 2, struct.pack(">h", sheet))
    zigzag = b"".join(struct.pack(">2i", 10 * i, 100 * (i % 2)) for i in range(points))
    width = gds_record(15, 3, struct.pack(">i", 4))
    return gds_record(9, 0) + place + width + gds_record(16, 3, zigzag) + gds_record(17, 0)


def gds_place(cell: bytes, x: int = 0, y: int = 0) -> bytes:
    return gds_record(10, 0) + gds_record(18, 6, cell) + gds_record(16, 3, struct.pack(">2i", x, y)) + gds_record(17, 0)


def gds_array(cell: bytes, columns: int, rows: int, dx: int = 2, dy: int = 2) -> bytes:
    size = gds_record(19, 2, struct.pack(">2H", columns, rows))
    corners = gds_record(16, 3, struct.pack(">6i", 0, 0, columns * dx, 0, 0, rows * dy))
    return gds_record(11, 0) + gds_record(18, 6, cell) + size + corners + gds_record(17, 0)


def gds_tower(levels: int, columns: int, rows: int, body: bytes | None = None) -> bytes:
    """Arrays of arrays of arrays."""
    cells = [(b"C0", gds_box() if body is None else body)]
    cells += [(f"C{i}".encode(), gds_array(f"C{i - 1}".encode(), columns, rows)) for i in range(1, levels + 1)]
    return gds_file(*cells)


def number(value: int) -> bytes:
    """OASIS unsigned-integer."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 127
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def oas_file(body: bytes, unit: int = 1000) -> bytes:
    start = number(1) + oas_string(b"1.0") + b"\0" + number(unit) + number(0) + number(0) * 12
    return b"%SEMI-OASIS\r\n" + start + body + number(2) + number(252) + bytes(252) + number(0)


def oas_string(text: bytes) -> bytes:
    return number(len(text)) + text


def oas_cell(name: bytes = b"TOP") -> bytes:
    return number(14) + oas_string(name)


def oas_box(layer: int, sheet: int, width: int, height: int, repetition: bytes = b"") -> bytes:
    info = 0b01111011 | (4 if repetition else 0)
    return bytes([20, info]) + b"".join(map(number, (layer, sheet, width, height, 0, 0))) + repetition


def oas_grid(columns: int, rows: int, dx: int, dy: int) -> bytes:
    return b"".join(map(number, (1, columns - 2, rows - 2, dx, dy)))


def oas_row(columns: int) -> bytes:
    """A repetition that lists every step."""
    return number(4) + number(columns - 2) + number(1) * (columns - 1)


OAS_AGAIN = bytes([20, 4, 0])  # the last rectangle, repeated as the last one was


def oas_block(data: bytes) -> bytes:
    """A compressed block."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return number(34) + number(0) + number(len(data)) + number(len(packed)) + packed
