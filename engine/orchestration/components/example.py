"""Prefect: a flow's state follows from its tasks; a task whose upstream failed is never started."""

from prefect import flow, task


@task(retries=1)
def train(rows):
    raise ConnectionError("the source closed the connection")


@task
def report(model):
    return model


@flow
def daily():
    model = train.submit(1_000)
    compared = report.submit(model)
    compared.wait()
    return [model.state, compared.state]


state = daily(return_state=True)
ended = [one.name for one in state.result(raise_on_failure=False)]
print(state.name, ended)  # Failed ['Failed', 'NotReady']
