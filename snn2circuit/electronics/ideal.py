"""Ideal parts: what the product's promise is measured with.

An op-amp without a value is one of gain 1e10 and no other fault, which costs a column about 1e-9 of its sum.
"""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics

IDEAL = Electronics()
