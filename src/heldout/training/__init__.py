"""A model and batches -> records: the training of networks by mini-batches.

Requirements that every file here meets:

- Every random number is a pure function of (seed, purpose, epoch, step); torch's global generators are as before.
- Scores are made in evaluation mode and without gradients. A loss is the mean over examples, not over batches; an
  accuracy is that of its own epoch.
- What is shown comes as records and through callables; nothing here prints.
- The examples are those of train and validation. Nothing here knows a test part.

In reading order:

- `settings.py`: what can be set, checked; good values for each regime
- `schedules.py`: the learning rate of a step
- `losses.py`: the loss, and counts that merge
- `precision.py`: in which precision a network trains fastest on this machine, measured once
- `steps.py`: one step of training, one pass of evaluation
- `tasks.py`: what a network learns from: pixels, or the kept output of its trunk
- `loop.py`: epochs, early stop, the best weights
- `history.py`: what an epoch leaves behind
"""
