"""The ETL lab: load strategies, crashes, late data, change capture, quality gates, backfills, ETL
or ELT.
"""
