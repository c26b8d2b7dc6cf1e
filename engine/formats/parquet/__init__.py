"""A Parquet file's bytes: footer, pages and indexes. Its child reads uploads, so nothing is
imported here.
"""
