"""What the command line and Python both call: each verb once, whoever asks.

- `running.py`: train, resume, and make a report again; `Run`.
- `checking.py`: look at the data.
- `predicting.py`, `evaluating.py`: a finished run on other pictures.
- `pairing.py`, `comparing.py`: two runs on the same held-out pictures.
- `sweeps.py`: a finished sweep; `searching.py`: make one; `sweep_plans.py`: its plans; `sweep_records.py`: its files.
- `replaying.py`: do a finished run again, and compare.
- `digits.py`: the pictures of the demo; `health.py`: what `heldout doctor` tells.
"""
