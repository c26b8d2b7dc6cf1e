"""The feature definitions of the departure-delay models: what `feast apply` registers."""

from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64

from engine.feature_store.model_inputs import model_inputs

DATA = Path(__file__).resolve().parent / "data"
WEATHER_TEAM, FLEET_TEAM, MODEL_TEAM = "weather team", "fleet team", "model team"

origin = Entity(
    name="origin",
    join_keys=["origin"],
    value_type=ValueType.STRING,
    description="Airport of departure: EWR, JFK or LGA",
    owner=WEATHER_TEAM,
)
plane = Entity(
    name="plane",
    join_keys=["tailnum"],
    value_type=ValueType.STRING,
    description="Aircraft, by the number on its tail",
    owner=FLEET_TEAM,
)

weather_hourly = FileSource(
    name="weather_hourly",
    path=str(DATA / "weather.parquet"),
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
    description="Hourly observations at the airport (NOAA)",
    owner=WEATHER_TEAM,
)
plane_landings = FileSource(
    name="plane_landings",
    path=str(DATA / "planes.parquet"),
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
    description="One row a landing, with the mean arrival delay of the plane's last five",
    owner=FLEET_TEAM,
)
flight_request = RequestSource(
    name="flight_request",
    schema=[Field(name="scheduled_at", dtype=Int64), Field(name="distance", dtype=Float64)],
    description=(
        "What the caller knows of the flight: scheduled departure (seconds, UTC) and distance"
        " (miles)"
    ),
    owner=MODEL_TEAM,
)

weather = FeatureView(
    name="weather",
    entities=[origin],
    ttl=timedelta(days=2),
    schema=[
        Field(name="temp", dtype=Float64, tags={"unit": "°F"}),
        Field(name="wind_speed", dtype=Float64, tags={"unit": "mph"}),
        Field(name="precip", dtype=Float64, tags={"unit": "inches"}),
        Field(name="visib", dtype=Float64, tags={"unit": "miles"}),
        Field(name="pressure", dtype=Float64, tags={"unit": "hPa"}),
    ],
    source=weather_hourly,
    description="Weather at the airport of departure",
    tags={"domain": "weather", "freshness": "hourly"},
    owner=WEATHER_TEAM,
)
plane_history = FeatureView(
    name="plane_history",
    entities=[plane],
    ttl=timedelta(days=0),
    schema=[
        Field(name="mean_delay", dtype=Float64, tags={"unit": "minutes", "window": "5 landings"}),
        Field(name="last_delay", dtype=Float64, tags={"unit": "minutes"}),
    ],
    source=plane_landings,
    description="How late the plane has been of late",
    tags={"domain": "fleet", "freshness": "each landing"},
    owner=FLEET_TEAM,
)
model_inputs_view = on_demand_feature_view(
    sources=[weather, plane_history, flight_request],
    schema=[
        Field(name="temp_c", dtype=Float64),
        Field(name="wind_kmh", dtype=Float64),
        Field(name="precip_mm", dtype=Float64),
        Field(name="visib_km", dtype=Float64),
        Field(name="pressure_hpa", dtype=Float64),
        Field(name="hour_local", dtype=Float64),
        Field(name="distance_km", dtype=Float64),
        Field(name="recent_delay", dtype=Float64),
    ],
    mode="pandas",
    description=(
        "The model's inputs: units, local hour and defaults, in one place for training and serving"
    ),
    tags={"domain": "models"},
    owner=MODEL_TEAM,
)(model_inputs)

delay_service = FeatureService(
    name="delay_inputs",
    features=[model_inputs_view],
    logging_config=LoggingConfig(destination=FileLoggingDestination(path=str(DATA / "served"))),
    description="What the delay model takes; every answer is logged",
    tags={"model": "departure delay"},
    owner=MODEL_TEAM,
)
turnaround_service = FeatureService(
    name="turnaround_inputs",
    features=[plane_history],
    description="What the turnaround planner takes",
    tags={"model": "turnaround planner"},
    owner=FLEET_TEAM,
)
board_service = FeatureService(
    name="board_inputs",
    features=[weather[["temp", "visib"]]],
    description="What the departures board shows",
    tags={"model": "departures board"},
    owner=WEATHER_TEAM,
)
