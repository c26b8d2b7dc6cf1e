"""The focal loss, its gradient, and a logistic model fitted to it."""

from __future__ import annotations

from typing import Any

import numpy as np


def modulation(chance: Any, gamma: float) -> Any:
    """Return (1 − p)^γ, the weight of an example whose own class has probability ``chance``."""
    return (1 - chance) ** gamma


def loss(chance: Any, gamma: float) -> Any:
    """Return the focal loss, −(1 − p)^γ log p, of an example whose own class has probability
    ``chance`` (0 < p ≤ 1).
    """
    return -modulation(chance, gamma) * np.log(chance)


def gradient_size(chance: Any, gamma: float) -> Any:
    """Return the size of an example's gradient: the absolute derivative of its loss by the
    log-odds of its class.
    """
    chance = np.asarray(chance, dtype=float)
    return modulation(chance, gamma) * (
        1 - chance - gamma * chance * np.log(np.maximum(chance, 1e-300))
    )


def carried(sizes: np.ndarray, share: float) -> float:
    """Return the part of the gradient that the hardest ``share`` of the rows make, 0–1."""
    hardest = np.sort(sizes)[::-1][: max(1, round(len(sizes) * share))]
    return float(hardest.sum()) / float(sizes.sum())


def objective(
    weights: np.ndarray, X: np.ndarray, y: np.ndarray, gamma: float, class_weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the penalised loss of a logistic model and its gradient.

    Parameters
    ----------
    weights : (d + 1,)
        Coefficients, then the intercept, which is not penalised.
    class_weight : (n,)
        Weight of each row.
    """
    side = 2 * y - 1
    z = side * (X @ weights[:-1] + weights[-1])
    rest = np.logaddexp(0, -np.abs(z))  # of both: it is most of the work
    log_chance = -(np.maximum(-z, 0) + rest)
    chance = np.exp(log_chance)
    other = np.exp(-(np.maximum(z, 0) + rest))  # 1 − p without its rounding error
    focus = other**gamma
    value = -(class_weight * focus * log_chance).sum() + 0.5 * weights[:-1] @ weights[:-1]
    slope = -side * class_weight * focus * (other - gamma * chance * log_chance)
    return float(value), np.append(X.T @ slope + weights[:-1], slope.sum())


def fit(
    X: np.ndarray,
    y: np.ndarray,
    gamma: float,
    class_weight: np.ndarray,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return the weights (d + 1,) at which the objective is least, by L-BFGS from ``start`` or from
    the base rate.
    """
    from scipy.optimize import minimize

    if start is None:
        start = np.append(np.zeros(X.shape[1]), np.log(y.mean() / (1 - y.mean())))
    found = minimize(
        objective,
        start,
        args=(X, y, gamma, class_weight),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 500, "gtol": 1e-6, "ftol": 1e-13},
    )
    return np.asarray(found.x)


def balanced(y: np.ndarray) -> np.ndarray:
    """Return the weight of each row that makes both classes weigh the same, as scikit-learn's
    "balanced".
    """
    return np.asarray(np.where(y == 1, len(y) / (2 * y.sum()), len(y) / (2 * (len(y) - y.sum()))))


def by_alpha(y: np.ndarray, alpha: float) -> np.ndarray:
    """Return the weight of each row: 2α for the rare class, 2(1 − α) for the other."""
    return np.where(y == 1, 2 * alpha, 2 * (1 - alpha))
