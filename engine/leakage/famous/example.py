"""A hospital with more of the disease: its name alone ranks patients, and says nothing of one."""

import numpy as np
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(0)
at_large = rng.random(50_000) < 0.274  # 42,396 of 154,516 X-rays (Zech et al. 2018)
pneumonia = rng.random(50_000) < np.where(at_large, 0.342, 0.012)
print(round(roc_auc_score(pneumonia, at_large), 2))  # 0.86
print(roc_auc_score(pneumonia[at_large], at_large[at_large]))  # 0.5
