"""The view *ML* of Spark or pandas: one model in Spark and in scikit-learn."""

from __future__ import annotations

from engine.spark.crossover import ml
from engine.spark.crossover import ml_figure as figures
from engine.spark.crossover.ml import MlParams, MlResult
from pages.shell import controls, lab, texts, work
from pages.tabs.spark import aside

M = MlParams()


def params() -> MlParams:
    """Draw the controls."""
    return MlParams(
        flights=controls.slider(
            M, "flights", "Flights, up to", help="Trained on; every size up to it is fitted"
        ),
        penalty=controls.slider(
            M, "penalty", "Penalty (L2)",
            help="`regParam` of Spark; scikit-learn's C is 1 ÷ (flights × penalty)",
            format_func=str,
        ),
        fits=controls.slider(
            M, "fits", "Repeats", help="Timed fits, after a warm-up fit (not timed)"
        ),
    )  # fmt: skip


def output(params: MlParams) -> None:
    """Fit and draw."""
    work.run("crossover_ml", params, ml.steps, _show, MlResult(params))


def _show(result: MlResult) -> None:
    with aside.screen(result):
        alt = "Seconds of a fit against flights, Spark and scikit-learn"
        lab.chart(figures.seconds(result), "crossover_ml", alt, verdict=result.verdict)
        if result.pairs:
            lab.chart(
                figures.coefficients(result),
                "crossover_coefficients",
                "Coefficients of Spark's and of scikit-learn's model",
            )
            texts.table(result.rows(), "Every fit, with its AUC on held-out flights")
