"""The engines: everything that computes. Nothing here imports Streamlit."""
