"""Figures of the Feature store lab."""
