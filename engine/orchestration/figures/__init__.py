"""Figures of the orchestration lab: Result in, Plotly figure out."""
