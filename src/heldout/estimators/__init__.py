"""The classifiers as scikit-learn wants them: `fit` and `predict` on what a program holds, no run folder, no report.

Requirements this folder meets:

- No second training: encoder, fit, calibration and decision are those of a run, asked for by the same settings.
- No held-out part: whoever calls `fit` holds one back. The validation part, on which penalty, epoch, trees,
  temperature and threshold are chosen, is drawn here, from the rows of `fit` alone.
- scikit-learn's own checks pass (`sklearn.utils.estimator_checks`); a fitted classifier is saved without pickle.

Files, in reading order:

- `labels.py`: labels of any type <-> the class names of a classifier
- `inputs.py`, `pictures.py`: what a program holds as the rows of a table; as files of pictures
- `choosing.py`: the validation part; the temperature and the decision that are chosen on it
- `keeping.py`: what a folder says of an estimator beside its classifier
- `answers.py`: what was answered on validation, by which doubt is told
- `base.py`: what both estimators do alike: answers, saving, loading
- `table.py`, `image.py`: the two estimators
"""
