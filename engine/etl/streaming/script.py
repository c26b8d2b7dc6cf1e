"""A stream of files in Spark Structured Streaming: what each micro-batch reports."""

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.etl.streaming import StreamingParams
from engine.etl.streaming.source import rows_of

PARAMS = StreamingParams()
rows = rows_of(PARAMS)  # real flights: scheduled departure, departure, hour of the file
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
spark.conf.set("spark.sql.session.timeZone", "UTC")
spark.conf.set("spark.sql.shuffle.partitions", "1")  # of the state

with tempfile.TemporaryDirectory() as folder:
    arrived = Path(folder) / "in"
    arrived.mkdir()
    flights = spark.readStream.schema("flight STRING, event TIMESTAMP").json(str(arrived))
    counts = (
        flights.withWatermark("event", f"{PARAMS.delay_minutes} minutes")
        .groupBy(F.window("event", f"{PARAMS.window_minutes} minutes"))
        .count()
    )
    sink = counts.writeStream.outputMode(PARAMS.mode).format("memory").queryName("streaming_sink")
    query = sink.option("checkpointLocation", f"{folder}/checkpoint").start()
    midnight = datetime(2013, 1, 1) + timedelta(PARAMS.day - 1)
    n_out, state_after = 0, []
    for hour in sorted(set(rows.hour.tolist())):
        lines = [
            json.dumps(
                {"flight": rows.flight[i], "event": str(midnight + timedelta(minutes=event))}
            )
            for i, event in enumerate(rows.event.tolist())
            if rows.hour[i] == hour
        ]
        hidden = arrived / f".{hour:02}.json"  # Spark reads no file with a dot in front
        hidden.write_text("\n".join(lines))
        hidden.rename(arrived / f"{hour:02}.json")
        query.processAllAvailable()  # the batch of the file, and one without rows if needed
        in_sink = spark.table("streaming_sink").count()
        n_out = n_out + in_sink if PARAMS.mode == "complete" else in_sink
        ran = [p for p in query.recentProgress if "addBatch" in p["durationMs"]]
        state_after.append(ran[-1]["stateOperators"][0]["numRowsTotal"])
    query.stop()

numbers = {
    "n_rows": sum(p["numInputRows"] for p in ran),
    "n_reported_dropped": sum(p["stateOperators"][0]["numRowsDroppedByWatermark"] for p in ran),
    "n_out": n_out,
    "n_open": state_after[-1],
    "most_state": max(state_after),
}
print(json.dumps(numbers))
