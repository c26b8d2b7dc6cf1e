"""The Leakage lab: leaks measured, dated, detected and fixed."""
