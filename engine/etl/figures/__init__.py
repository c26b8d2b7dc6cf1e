"""Figures of the ETL lab; what the truth ledger counts has one colour in all of them."""
