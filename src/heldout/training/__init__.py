"""A plan's model and pictures -> a trained classifier and records of how it came about.

Requirements that every file here meets:

- Every random number is a pure function of (seed, purpose, epoch, step); torch's global generators are as before.
- Scores are made in evaluation mode and without gradients. A loss is the mean over examples, not over batches; an
  accuracy is that of its own epoch.
- What is shown comes as records and through callables; nothing here prints.
- The examples are those of train and validation. Nothing here knows a test part, but for `streaming.py`, which scores
  on rows that a hash of their number keeps out of everything else.
- The path of a frozen backbone imports no torch: `fitting.py` and all that it imports at its top.

In reading order:

- `stores.py`, `looking.py`, `materials.py`: what is made of each picture, once, and kept
- `fitted.py`, `fitting.py`: what fitting is asked for and gives, for every regime
- `probe.py`, `classifier.py`: the head of a frozen backbone, and the classifier that it makes
- `by_batches.py`: the regimes that train a network by mini-batches, by means of these:
- `settings.py`: what can be set about it, checked; good values for each regime
- `schedules.py`, `losses.py`: the learning rate of a step; the loss, and counts that merge
- `tasks.py`: what a network learns from: pixels, or the kept output of its trunk
- `arithmetic.py`, `winograd.py`, `fastest.py`: ways to compute a step, and which is the fastest here, measured once
- `rates.py`, `rate_finding.py`: the losses at rising learning rates, and the rate that they tell
- `steps.py`, `loop.py`, `history.py`: a step; epochs and the best weights; what an epoch leaves behind
- `linear_steps.py`: a step of one linear layer
- `course.py`, `checkpoints.py`: a training between two steps, early stop; the same on disk, from which it goes on
- `parallel.py`: several processes that train together, and what they tell one another
- `launching.py`, `group_worker.py`, `relaying.py`: how they are begun, what each does, how it goes
- `on_ray.py`: the same on a Ray cluster, and looking at pictures in shards
- `norms.py`, `norm_files.py`: the norm of each tensor beside what decay alone would have left; the same on disk
- `doubts.py`: what the course of a fit says against its result
- `shortcuts.py`: whether a nuisance, such as the size, tells the classes apart
- `suspecting.py`: labels that look wrong to heads that were fitted without them
- `streaming.py`: a linear model of a table that need not fit into memory, and its scores, by means of these:
- `stream_rows.py`, `stream_kept.py`, `stream_features.py`: its rows batch by batch; those that stay; their features
- `stream_fit.py`, `stream_optimum.py`: passes over all rows, and the optimum that they lead to
"""
