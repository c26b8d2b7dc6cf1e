"""The Leakage lab: what makes a score lie, dosed, dated, detected and mended."""
