"""One file an experiment: its controls, its charts, its words."""
