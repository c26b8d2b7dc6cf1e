"""Focal loss for a logistic regression: easy rows keep almost no weight."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.datasets import make_classification

X, y = make_classification(n_samples=2_000, n_features=4, weights=[0.95], random_state=0)


def fit(gamma, alpha=0.5):
    def loss(w):
        z = np.where(y == 1, 1, -1) * (X @ w[1:] + w[0])
        weight = np.where(y == 1, alpha, 1 - alpha) * expit(-z) ** gamma  # (1 - p) ** gamma
        return (weight * np.logaddexp(0, -z)).sum()  # -log p

    return minimize(loss, np.zeros(5)).x


mean = {gamma: float(expit(X @ w[1:] + w[0]).mean()) for gamma in (0, 2) for w in [fit(gamma)]}
print(f"{y.mean():.2f}, {mean[0]:.2f}, focal {mean[2]:.2f}")  # 0.06, 0.06, focal 0.16
