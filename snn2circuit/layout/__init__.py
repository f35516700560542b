"""From a crossbar network to the printed stack that is that network: built, checked, placed, written for viewers."""
