"""The 3D viewer: a page with its own bundled three.js, served on this machine only or embedded in a report."""
