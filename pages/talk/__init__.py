"""Talks: scenes of any labs in an order of one's own, edited, presented, saved as one file."""
