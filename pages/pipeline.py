"""The Pipeline page: one system from four sources to served predictions."""

from pages.shell import lab
from pages.tabs.pipeline import faults, flow, game, tracer, weeks

lab.page(
    "pipeline",
    flow=flow.show,
    tracer=tracer.show,
    weeks=weeks.show,
    faults=faults.show,
    game=game.show,
)
