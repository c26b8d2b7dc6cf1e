"""Retry what is temporary, with backoff and jitter; let a bug fail at its first attempt."""

from prefect import task
from prefect.tasks import exponential_backoff


def is_temporary(task, run, state):
    return isinstance(state.result(raise_on_failure=False), TimeoutError)


delays = exponential_backoff(backoff_factor=0.1)  # 0.1, 0.2, 0.4 s …
attempts = []


@task(
    retries=3, retry_delay_seconds=delays, retry_jitter_factor=0.5, retry_condition_fn=is_temporary
)
def call(error):
    attempts.append(error.__name__)
    raise error("the service did not answer")


for error in (TimeoutError, TypeError):
    call(error, return_state=True)
print(attempts.count("TimeoutError"), attempts.count("TypeError"))  # 4 1
