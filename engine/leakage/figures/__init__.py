"""Figures of the Leakage lab: Result in, Plotly figure out."""
