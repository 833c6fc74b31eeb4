"""Numbers from predictions: scores with intervals, calibration, baselines, one summary.

What this folder must do:

- Need numpy alone to import (scipy only inside the function that uses it), so that numbers can be
  recomputed from a saved file years later; never torch, scikit-learn or pandas.
- Give no bare number: every `Score` has its `n`, its 95 % interval and the method that made it.
- Draw random numbers only from a generator that is passed in.
- Say of every statistic what it assumes, when it breaks and which test checks it.

Files, in reading order:

- `predictions.py`  what a model said about labelled examples: logits, labels, temperature
- `intervals.py`    Wilson, Clopper-Pearson, means of losses, bootstrap from a confusion matrix
- `scores.py`       accuracy, balanced accuracy, macro-F1, NLL, Brier, the per-class table
- `grouped.py`      intervals where examples come in groups: bootstrap over groups
- `calibration.py`  temperature, ECE with its null band, reliability bins
- `baselines.py`    what a model must beat: majority class, nearest centroid
- `paired.py`       two models on the same examples: p-values, interval, examples needed, in groups too
- `comparison.py`   differences of two fitted models, and of two settings over folds
- `balanced_difference.py`  the paired difference of two balanced accuracies
- `selection.py`    ranking of settings with ties, and how much too good the best one looks
- `suspects.py`     labels that are probably wrong, by confident learning
- `summary.py`      all of it for one part, ready for JSON
"""
