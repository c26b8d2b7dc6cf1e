"""What only the Formats lab does, as a visitor meets it: links, uploads, and the shell's panels on
a run known exactly.
"""

from __future__ import annotations

import json
import threading

import pyarrow as pa

from engine.formats import bytes_read, evolution
from engine.formats.evolution.cell_code import snippet
from engine.jobs import JOBS, Progress, Steps
from engine.units import format_share
from pages.shell import export, lessons, panels
from tests.pages.visit import charts, open_page, settle, texts


def test_no_column_is_a_sentence_and_the_page_stays_usable() -> None:
    app = open_page("formats", formats_tab="Bytes read")
    app.multiselect(key="bytes_read_columns").set_value([]).run()
    assert not app.exception
    assert "columns" in app.error[0].value and "Choose one" in app.error[0].value
    app.button(key="bytes_read_reset").click().run()
    assert not app.error and len(charts(app)) == 2


def test_a_link_opens_the_setting_it_names() -> None:
    app = open_page(
        "formats",
        formats_tab="Bytes read",
        bytes_read_order="shuffled",
        bytes_read_rows_per_group="20,000",
    )
    assert app.session_state["bytes_read_order"] == "shuffled"
    result = bytes_read.run(bytes_read.BytesReadParams(order="shuffled", rows_per_group=20_000))
    assert result.verdict in texts(app)


def test_upload_without_a_file_says_what_to_do() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_table="upload")
    assert not app.exception
    assert "choose a CSV, JSON, Parquet or Avro file" in app.error[0].value


def test_an_uploaded_file_is_read_and_a_hostile_one_is_a_sentence() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_table="upload")
    rows = "\n".join(f"{i},{i * i},name {i}" for i in range(2_000))
    app.file_uploader(key="bytes_read_file").set_value(
        ("mine.csv", f"a,b,c\n{rows}".encode(), "text/csv")
    ).run()
    assert not app.exception and not app.error
    assert "of 3 columns" in texts(app)
    app.file_uploader(key="bytes_read_file").set_value(
        ("cut.parquet", b"PAR1 and no more", "application/octet-stream")
    ).run()
    assert not app.exception
    assert "damaged or cut short" in app.error[0].value


def test_a_prediction_shows_the_guess_beside_what_happened() -> None:
    lesson = lessons.load("formats")
    number, prediction = next(
        (i, p) for i, p in enumerate(lesson.predictions) if p.experiment == "bytes_read"
    )
    app = open_page("formats", formats_tab="Bytes read", bytes_read_panel="Predict")
    app.slider(key=f"formats_guess_{number}").set_value(3.0).run()
    app.button(key=f"formats_guess_{number}_reveal").click().run()
    actual = getattr(
        bytes_read.run(lesson.settings_of("bytes_read", prediction.params)), prediction.field
    )
    assert f"you said **3**, it is **{actual:,}**" in texts(app)
    assert (
        lessons.to_field(app.session_state["bytes_read_order"])
        == prediction.params["bytes_read_order"]
    )


def test_the_open_panel_and_view_stay_while_a_job_waits_for_its_turn() -> None:
    quick = {
        "codecs_n_rows": "5,000",
        "codecs_levels": "default",
        "codecs_repeats": "1",
        "codecs_codecs": "snappy",
    }
    app = open_page(
        "formats", formats_tab="Codecs", codecs_panel="Code", codecs_view="Columns", **quick
    )
    gate = threading.Event()

    def blocking() -> Steps:
        while not gate.wait(0.01):
            yield Progress(0.5)

    JOBS.submit("another visitor", "blocking", "", blocking)
    app.slider(key="codecs_seed").set_value(3).run()
    assert "Preview on 1,000 rows" in texts(app), "what is shown until the job has its turn"
    gate.set()
    settle(app)
    kept = {key: app.segmented_control(key=key).value for key in ("codecs_panel", "codecs_view")}
    assert kept == {"codecs_panel": "Code", "codecs_view": "Columns"}
    later = open_page("home")
    later.session_state["opened_panels"] = {
        "race": "Guide"
    }  # a browser has lost the widget's own value meanwhile
    later.switch_page("formats.py")
    assert settle(later.run()).segmented_control(key="race_panel").value == "Guide"


def test_differences_are_written_in_full() -> None:
    assert [
        panels._change(a, b) for a, b in ((547_562, 0), (1, 121_457), (0.25, 0.75), (2.0, 2.0))
    ] == [
        "−547,562",
        "+121,456",
        "+0.5",
        "+0",
    ]


def test_a_challenge_tells_this_runs_number_as_people_read_it() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_panel="Challenge")
    result = bytes_read.run(bytes_read.BytesReadParams())
    assert f"Here: {format_share(result.read_share)}, not met by this run." in texts(app)
    assert f"Here: {result.csv_over_parquet_bytes:,.3g}, not met by this run." in texts(app)


def test_the_run_as_json_says_where_it_was_measured() -> None:
    run = json.loads(export._run_json(bytes_read.run(bytes_read.BytesReadParams())))
    assert (
        run["settings"]["columns"] == ["origin", "arr_delay"]
        and run["results"]["row_groups_kept"] == 5
    )
    assert (
        run["versions"]["pyarrow"] == pa.__version__
        and run["machine"]["cores"]
        and run["machine"]["memory_bytes"] > 10**9
    )
    assert run["rows"] and run["exported_at"]


def test_pinning_a_run_compares_it_with_the_next() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_panel="A / B")
    app.button(key="bytes_read_pin").click().run()
    app.segmented_control(key="bytes_read_order").set_value("shuffled").run()
    table = app.table[0].value
    row = table[table["number"] == "row_groups_kept"].iloc[0]
    default = bytes_read.run(bytes_read.BytesReadParams()).groups_kept
    assert (row["A"], row["B (now)"], row["B − A"]) == (str(default), "20", f"+{20 - default}")
    assert "order: as is → shuffled" in texts(app)


def test_the_code_behind_a_cell_of_the_evolution_is_shown_once_it_is_opened() -> None:
    app = open_page("formats", formats_tab="Schema evolution")
    app.session_state["evolution_snippet"] = True
    app.run()
    shown = [code.value for code in app.code]
    assert not app.exception and shown == [snippet(evolution.EvolutionParams()).strip()]
