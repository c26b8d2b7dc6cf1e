"""The child process that reads an untrusted file: ``python -m engine.upload_reader SOURCE TARGET
[OPTIONS]``.

Reads CSV, JSON, Parquet or Avro at SOURCE and writes a plain Arrow file (no compression, no
dictionaries, no extension types) to TARGET. How to read a text file stands in the file OPTIONS; how
it was read is reported in a file beside TARGET (``options``). Its parent watches its memory and
time, because a few hundred bytes of Parquet or Avro can unfold to gigabytes, and some files abort
the process outright; between two looks of the parent the address-space limit holds. It prints one
JSON line (see ``engine.processes``).
"""
