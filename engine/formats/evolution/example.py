"""Avro: a reader with a newer schema takes an older file, by a default and an alias."""

import io

import fastavro

carrier = {"name": "carrier", "type": "string"}
delay = {"name": "dep_delay", "type": "int"}
renamed = {"name": "departure_delay", "type": "long", "aliases": ["dep_delay"]}  # and wider
added = {"name": "origin", "type": "string", "default": "unknown"}
old = {"type": "record", "name": "flight", "fields": [carrier, delay]}
new = {"type": "record", "name": "flight", "fields": [carrier, renamed, added]}
file = io.BytesIO()
fastavro.writer(file, old, [{"carrier": "UA", "dep_delay": 2}])
file.seek(0)
row = next(fastavro.reader(file, reader_schema=new))
print(row)  # {'carrier': 'UA', 'departure_delay': 2, 'origin': 'unknown'}
