"""Plotly figures of the Formats lab: Result in, Figure out."""
