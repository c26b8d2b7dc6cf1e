"""Alert on a failure by a hook, and on a slow run by median and MAD of the runs before it."""

from prefect import flow
from scipy.stats import median_abs_deviation

sent = []


def alert(flow, flow_run, state):  # called in the process of the run when its state changes
    sent.append(f"{flow.name}: {state.name}")  # at work: a POST to the chat's webhook


@flow(on_failure=[alert], on_crashed=[alert])
def daily():
    raise RuntimeError("the source is empty")


daily(return_state=True)
print(sent)  # ['daily: Failed']
seconds = [61, 58, 63, 60, 59, 62, 95]
past, last = sorted(seconds[:-1]), seconds[-1]
sigma = median_abs_deviation(past, scale="normal")  # one outlier does not change it
print(last > past[len(past) // 2] + 3 * sigma)  # True
