"""A Prefect flow: one task run for each source, retries, and the state of the run."""

from prefect import flow, task
from prefect.runtime import task_run


@task(retries=2, retry_delay_seconds=0.1)
def extract(source):
    if task_run.run_count == 1:
        raise ConnectionError(f"{source} closed the connection")  # the second attempt succeeds
    return len(source)


@task
def load(counts):
    return sum(counts)


@flow
def daily(sources):
    return load(extract.map(sources))  # a fan-out: as many task runs as sources


state = daily(["flights", "weather", "planes"], return_state=True)
print(state.name, state.result())  # Completed 20
