"""Four engines on the same files. Its children are measured, so nothing is imported here."""
