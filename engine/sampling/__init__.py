"""The Sampling lab: resampling of rare classes, row by row, and sampling from a known population."""
