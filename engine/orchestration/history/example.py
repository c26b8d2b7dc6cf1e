"""Ask Prefect's server for finished runs: how many completed, and the usual duration."""

from statistics import median

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId


@flow
def daily(n_rows):
    if not n_rows:
        raise ValueError("the source is empty")


states = [daily(n, return_state=True) for n in (100, 0, 120)]
ids = FlowRunFilterId(any_=[state.state_details.flow_run_id for state in states])
with get_client(sync_client=True) as client:
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(id=ids))
done = [run for run in runs if run.state.is_completed()]
print(f"{len(done)} of {len(runs)} completed")  # 2 of 3 completed
print(median(run.total_run_time.total_seconds() for run in done) > 0)  # True
