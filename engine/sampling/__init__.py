"""The Sampling lab: resampling of rare classes, row by row, and samples of a known population."""
