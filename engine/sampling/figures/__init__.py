"""Figures of the Sampling lab: Result in, Plotly figure out."""
