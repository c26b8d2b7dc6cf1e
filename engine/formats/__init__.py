"""The Formats lab: what CSV, JSON, Avro, Parquet and Arrow cost, and why."""
