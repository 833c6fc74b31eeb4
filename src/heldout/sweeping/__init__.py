"""Many trainings of the same data, compared so that the comparison means something.

Requirements that every file here meets:

- A trial shares nothing with another but what was kept of the pictures: fresh weights, optimiser and random numbers.
- The held-out part is never opened here (the import contract holds it), and no trial knows the name of a test picture.
- One process writes the ledger. A trial that stands in it is never done again.

In reading order:

- `space.py`: what is tried.
- `measure.py`: what it is ranked by.
- `preparing.py`: the data, looked at once; the folds.
- `trials.py`: one trial, from its order to its result.
- `ledger.py`: the results on disk.
- `runners.py`, `worker.py`: worker processes of this machine; `on_ray.py`: those of a Ray cluster.
- `choosing.py`: results -> ranking with ties, expected optimism.
- `advising.py`: ranking -> a recommendation in words, and Findings.
- `sweep.py`: all of it, in order.
"""
