"""A visitor's own Feast repository, read and never written."""
