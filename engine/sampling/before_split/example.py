"""Resample inside the training folds only: an imbalanced-learn pipeline does it."""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

X, y = make_classification(n_samples=2_000, weights=[0.95], flip_y=0.1, random_state=0)
smote, model = SMOTE(random_state=0), KNeighborsClassifier()

X_all, y_all = smote.fit_resample(X, y)  # the trap: children of test rows are in training
wrong = cross_val_score(model, X_all, y_all, cv=5, scoring="roc_auc").mean()
right = cross_val_score(make_pipeline(smote, model), X, y, cv=5, scoring="roc_auc").mean()
print(f"{wrong:.2f} against {right:.2f}")  # 0.96 against 0.66
