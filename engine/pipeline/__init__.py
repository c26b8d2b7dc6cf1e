"""One pipeline from four sources to served predictions: which flights arrive more than 15 minutes
late, as known some hours before they leave.

Real: every flight, weather hour and plane of 2013; the HTTP, SQLite, file and stream interfaces
they come through; pandera, Spark, Feast, scikit-learn and the files in between. Simplified: the
sources run on this machine and replay 2013; weather rows that come late are drawn from a seed, and
so are the flights beyond the first year's where ``scale`` is above 1.

``stages`` are the steps in order, ``runner`` runs them, ``store`` keeps what they made. Each
stage's output is a folder named by its settings, its code and its inputs: what is there already is
not made again, so a second run changes nothing and a failed one goes on where it failed.
"""
