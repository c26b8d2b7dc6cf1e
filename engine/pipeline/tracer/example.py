"""One flight followed to the weather row that it was given: an as-of join with row numbers."""

import duckdb

traced = duckdb.sql("""
    SELECT f.file_row_number AS flight_row, w.file_row_number AS weather_row,
           w.time_hour AS known_at, f.time_hour - INTERVAL 2 HOUR AS predicted_at, wind_speed
    FROM read_parquet('datasets/flights.parquet', file_row_number = true) f
    ASOF LEFT JOIN read_parquet('datasets/weather.parquet', file_row_number = true) w
      ON f.origin = w.origin AND f.time_hour - INTERVAL 2 HOUR >= w.time_hour
    WHERE flight_row = 100000
""")
flight = traced.df().iloc[0]
print(flight["flight_row"], flight["weather_row"])  # 100000 8426
print(flight["known_at"] <= flight["predicted_at"])  # True
