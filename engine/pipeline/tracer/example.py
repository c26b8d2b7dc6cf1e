"""One flight followed to the weather row that it was given: an as-of join that keeps row numbers."""

import duckdb

traced = (
    duckdb.sql("""
    WITH flight AS (
        SELECT file_row_number AS flight_row, origin, tailnum, time_hour AS departs,
               time_hour - INTERVAL 2 HOUR AS predicted_at, arr_delay
        FROM read_parquet('datasets/flights.parquet', file_row_number = true)
        WHERE flight_row = 100000),
    weather AS (
        SELECT file_row_number AS weather_row, origin, time_hour, wind_speed
        FROM read_parquet('datasets/weather.parquet', file_row_number = true))
    SELECT f.*, w.weather_row, w.time_hour AS known_at, w.wind_speed
    FROM flight f ASOF LEFT JOIN weather w
      ON f.origin = w.origin AND f.predicted_at >= w.time_hour
""")
    .df()
    .iloc[0]
)
print(traced["flight_row"], traced["weather_row"])  # 100000 8426
print(traced["known_at"] <= traced["predicted_at"])  # True
