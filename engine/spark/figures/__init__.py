"""Figures of the Spark lab: Result in, Plotly figure out."""
