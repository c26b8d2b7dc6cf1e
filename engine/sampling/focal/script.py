"""Cross-entropy and class weights by scikit-learn, focal loss by SciPy; scored on other flights."""

import json

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from engine.sampling import flight_rows
from engine.sampling.focal import FocalParams

PARAMS = FocalParams()
rows = flight_rows.take(PARAMS.target, PARAMS.positives, PARAMS.n_rows, PARAMS.seed)
train, test = rows.split(PARAMS.split, PARAMS.seed)
X, X_test = flight_rows.standardise(rows.X[train], rows.X[test])
y, y_test = rows.y[train], rows.y[test]


def focal(w):
    side = 2 * y - 1
    z = side * (X @ w[:-1] + w[-1])
    p, q, log_p = expit(z), expit(-z), -np.logaddexp(0, -z)
    weight = np.where(y == 1, 2 * PARAMS.alpha, 2 * (1 - PARAMS.alpha)) * q**PARAMS.gamma
    slope = -side * weight * (q - PARAMS.gamma * p * log_p)
    return -(weight * log_p).sum() + w[:-1] @ w[:-1] / 2, np.append(
        X.T @ slope + w[:-1], slope.sum()
    )


plain = LogisticRegression(C=1, tol=1e-8, max_iter=5_000).fit(X, y)
weighted = LogisticRegression(C=1, tol=1e-8, max_iter=5_000, class_weight="balanced").fit(X, y)
start = np.append(plain.coef_[0], plain.intercept_)
w = minimize(
    focal, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "gtol": 1e-6, "ftol": 1e-13}
).x
scores = {
    "cross-entropy": plain.decision_function(X_test),
    "class weights": weighted.decision_function(X_test),
    "focal loss": X_test @ w[:-1] + w[-1],
}
numbers: dict[str, float] = {"n_test": len(y_test), "n_positive": int(y_test.sum())}
for name, score in scores.items():
    numbers[f"{name}: average precision"] = round(float(average_precision_score(y_test, score)), 4)
    numbers[f"{name}: AUC"] = round(float(roc_auc_score(y_test, score)), 4)
print(json.dumps(numbers))
