"""Numbers from predictions: scores with intervals, calibration, baselines, one summary.

What this folder must do:

- Need numpy alone to import (scipy only inside the function that uses it), so that numbers can be
  recomputed from a saved file years later; never torch, scikit-learn or pandas.
- Give no bare number: every `Score` has its `n`, its 95 % interval and the method that made it.
- Draw random numbers only from a generator that is passed in.
- Say of every statistic what it assumes, when it breaks and which test checks it.

Files, in reading order:

- `costs.py`        what each mistake costs, as a user states it
- `decisions.py`    how probabilities become answers: likeliest, balanced, at a threshold, of least cost
- `predictions.py`  what a model said about labelled examples: logits, labels, temperature, decision
- `intervals.py`    Wilson, Clopper-Pearson, means of losses, bootstrap from a confusion matrix
- `scores.py`       accuracy, balanced accuracy, macro-F1, NLL, Brier, the per-class table
- `grouped.py`      intervals where examples come in groups: bootstrap over groups
- `linearised.py`   intervals from what each example moves a score by, alone or in groups
- `ranked.py`       examples of one class and of all others, in the order of a probability
- `rank_scores.py`  average precision, ROC AUC, Matthews correlation, accuracy with a weight a class
- `curves.py`       precision-recall and ROC curves with bands
- `thresholds.py`   a threshold for two classes, chosen on validation
- `coverage.py`     accuracy against the share of examples that is answered
- `conformal.py`    sets of classes that hold the true one as often as wished
- `prior.py`        from balanced or weighted learning, or the focal loss, back to probabilities of the data
- `calibration.py`  temperature, ECE with its null band, reliability bins
- `baselines.py`    what a model must beat: majority class, nearest centroid
- `paired.py`       two models on the same examples: p-values, interval, examples needed, in groups too
- `comparison.py`   differences of two fitted models, and of two settings over folds
- `balanced_difference.py`  the paired difference of two balanced accuracies
- `cost_difference.py`  the paired difference of two mean costs
- `selection.py`    ranking of settings with ties, and how much too good the best one looks
- `suspects.py`     labels that are probably wrong, by confident learning
- `planes.py`       the plane that a boundary is drawn on: two inputs, two columns, two principal components
- `boundary.py`     regions of answers on a plane, the exact line, the examples over it
- `boundary_files.py`  a boundary <-> two files of a run folder
- `summary.py`      all of it for one part, ready for JSON
- `imbalance_facts.py`  decisions and doubt beside the scores: curves, coverage, prediction sets
"""
