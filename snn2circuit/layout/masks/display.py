"""What makes KLayout show a stack at once: a layer-properties file and a script for its 2.5D view.

The layer-properties file (``.lyp``) names and colours the layers, grouped by sheet. The script (``.lyd25``) gives each
layer its height in the stack; KLayout offers it under Tools, 2.5d View. Both are plain XML.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from snn2circuit.ir.files import write_text
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.plain import plain
from snn2circuit.layout.masks.drawing import Mask, list_masks


def write_display(layout: Layout, folder: Path, stem: str) -> list[Path]:
    """Write ``STEM.lyp`` and ``STEM.lyd25`` into ``folder``; returns their paths."""
    masks = list(list_masks(layout))
    properties, script = folder / f"{stem}.lyp", folder / f"{stem}.lyd25"
    write_text(properties, _properties(masks))
    write_text(script, _script(masks))
    return [properties, script]


def _properties(masks: list[Mask]) -> str:
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<layer-properties>"]
    for sheet in sorted({mask.sheet for mask in masks}, reverse=True):
        lines += [
            " <properties>",
            "  <visible>true</visible>",
            f"  <name>sheet {sheet}</name>",
            "  <source>*/*</source>",
        ]
        for mask in reversed(masks):
            if mask.sheet == sheet:
                # A substrate is drawn as an outline, or it would cover the sheets below.
                pattern = "I1" if mask.layer.role == "substrate" else "I0" if mask.layer.role == "via" else "I5"
                lines += [
                    "  <group-members>",
                    f"   <frame-color>{mask.layer.color}</frame-color>",
                    f"   <fill-color>{mask.layer.color}</fill-color>",
                    f"   <dither-pattern>{pattern}</dither-pattern>",
                    "   <visible>true</visible>",
                    f"   <name>{escape(mask.layer.name)}: {escape(plain(mask.layer.material))}</name>",
                    f"   <source>{mask.layer.mask}/{mask.sheet}@1</source>",
                    "  </group-members>",
                ]
        lines.append(" </properties>")
    return "\n".join([*lines, "</layer-properties>", ""])


def _script(masks: list[Mask]) -> str:
    solids = []
    for mask in masks:
        low, high = (height / 1e3 for height in mask.heights)
        color = mask.layer.color.replace("#", "0x")
        solids.append(
            f"z(input({mask.layer.mask}, {mask.sheet}), zstart: {low}, zstop: {high}, "
            f"name: '{mask.layer.name} {mask.sheet}', color: {color})"
        )
    text = escape("\n".join(solids))
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            "<klayout-macro>",
            " <description>The printed stack, every layer at its height</description>",
            " <category>d25</category>",
            " <autorun>false</autorun>",
            " <show-in-menu>true</show-in-menu>",
            " <group-name>d25_scripts</group-name>",
            " <menu-path>tools_menu.d25.end</menu-path>",
            " <interpreter>dsl</interpreter>",
            " <dsl-interpreter-name>d25-dsl-xml</dsl-interpreter-name>",
            f" <text>{text}</text>",
            "</klayout-macro>",
            "",
        ]
    )
