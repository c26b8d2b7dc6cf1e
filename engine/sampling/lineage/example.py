"""SMOTE: a synthetic row is between a rare row and one of its nearest rare neighbours."""

from collections import Counter

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.datasets import make_classification

X, y = make_classification(
    n_samples=500, n_features=2, n_redundant=0, weights=[0.9], random_state=0
)
smote = SMOTE(k_neighbors=5, random_state=0)
X_new, y_new = smote.fit_resample(X, y)
print(
    Counter(y.tolist()), "→", Counter(y_new.tolist())
)  # Counter({0: 450, 1: 50}) → Counter({0: 450, 1: 450})
made = X_new[len(X) :]  # the real rows come first, the synthetic ones after them
rare = X[y == 1]
print(bool(np.all((made >= rare.min(axis=0)) & (made <= rare.max(axis=0)))))  # True
