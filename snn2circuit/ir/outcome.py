"""What a judge can find, as the exit statuses of the commands that judge."""

from __future__ import annotations

EQUAL = 0  # no spike differs, no design rule is broken
DIFFERENT = 2  # a spike differs, a design rule is broken, or masks are another circuit
NOT_JUDGED = 3  # the judge that was asked for cannot tell
