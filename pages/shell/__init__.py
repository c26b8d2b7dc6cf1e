"""The few shared pieces of a lab; they know no topic."""
