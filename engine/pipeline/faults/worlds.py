"""Outside worlds in which one source is at fault; the rest is ``engine.pipeline.sources``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from engine import data
from engine.pipeline import sources
from engine.pipeline.params import PipelineParams

N_REFUSED = 2  # requests that the flaky API refuses
NEW_YORK_HOURS = 5  # behind UTC in winter


class HealthyWorld:
    """Every source as it should be; a fault overrides one of them.

    ``minutes`` is the pipeline's clock, set before each attempt.
    """

    minutes = 0.0

    def write_flight_files(self, folder: Path, params: PipelineParams, days: list[date]) -> None:
        """Write the file of each day, and what the fault does to the last one."""
        last = folder / f"flights-{days[-1]}.csv"
        fresh = not last.exists()
        sources.write_flight_files(folder, params, self.arrived(days))
        if fresh and last.exists():
            self.change_file(last)

    def arrived(self, days: list[date]) -> list[date]:
        """Return the days whose file is there."""
        return days

    def change_file(self, path: Path) -> None:
        """Change the last day's file."""

    def write_planes(self, path: Path) -> None:
        """Write the planes database."""
        sources.write_planes(path)

    def weather_events(self, params: PipelineParams) -> Iterator[str]:
        """Yield the stream's lines."""
        return sources.weather_events(params)

    def airlines_api(self) -> AbstractContextManager[str]:
        """Serve the airlines."""
        return sources.airlines_api()


class LateFile(HealthyWorld):
    """The last day's file arrives ``late_minutes`` after it is due."""

    def __init__(self, late_minutes: float) -> None:
        self.late_minutes = late_minutes

    def arrived(self, days: list[date]) -> list[date]:
        """Return the days whose file is there by now."""
        return days if self.minutes >= self.late_minutes else days[:-1]


class DuplicatedBatch(HealthyWorld):
    """Every line of the last day's file comes twice."""

    def change_file(self, path: Path) -> None:
        """Add the lines below the header once more."""
        text = path.read_text("utf-8")
        path.write_text(text + text.partition("\n")[2], encoding="utf-8")


class SchemaChange(HealthyWorld):
    """The source has renamed a column."""

    def change_file(self, path: Path) -> None:
        """Rename ``dep_delay`` in the header."""
        head, _, rest = path.read_text("utf-8").partition("\n")
        head = head.replace('"dep_delay"', '"departure_delay"')
        path.write_text(f"{head}\n{rest}", encoding="utf-8")


class TimeZoneSlip(HealthyWorld):
    """The source writes New York's clock and marks it as UTC."""

    def change_file(self, path: Path) -> None:
        """Move ``time_hour`` back."""
        schema = data.load("flights").schema
        types = {field.name: field.type for field in schema}
        rows = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types))
        kind = schema.field("time_hour").type
        slip = pa.scalar(timedelta(hours=NEW_YORK_HOURS), pa.duration(kind.unit))
        moved = pc.subtract(rows["time_hour"], slip).cast(kind)
        place = rows.column_names.index("time_hour")
        csv.write_csv(rows.set_column(place, "time_hour", moved), path)


class UnitChange(HealthyWorld):
    """The last day's temperatures come in °C."""

    def weather_events(self, params: PipelineParams) -> Iterator[str]:
        """Yield the stream's lines."""
        for line in sources.weather_events(params):
            row = json.loads(line)
            if row["time_hour"] >= params.days[1].isoformat() and row["temp"] is not None:
                row["temp"] = round((row["temp"] - 32) / 1.8, 2)
            yield json.dumps(row)


class FlakyApi(HealthyWorld):
    """The API refuses its first ``N_REFUSED`` requests."""

    def __init__(self) -> None:
        left = [N_REFUSED]

        class Handler(sources.AirlinesApi):
            def respond(self) -> None:
                """Refuse, or answer one page."""
                if left[0]:
                    left[0] -= 1
                    self.send_error(503)
                else:
                    super().respond()

        self.handler = Handler

    def airlines_api(self) -> AbstractContextManager[str]:
        """Serve the airlines, in the end."""
        return sources.airlines_api(self.handler)
