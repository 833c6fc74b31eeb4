"""Doubtful labels of train and validation: each judged by a head that was fitted without it, on frozen features.

Five folds, whole clusters in each, one fit a fold at the penalty that the run's own head chose: a fifth of the path's
cost each. The test part plays no part, and no label is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.data.folds import make_folds
from heldout.findings import MAX_NAMED, Finding
from heldout.measuring.predictions import log_softmax
from heldout.measuring.scores import Score, share
from heldout.measuring.suspects import CONFIRMED_SHARE, clearest_of_classes, find_suspects
from heldout.models.heads import fit_without_folds
from heldout.randomness import stream
from heldout.training.materials import Materials, Part
from heldout.training.probe import PathPoint

N_FOLDS = 5
# The heads are fitted to so many examples at most, so that the time is bounded; all are judged. Assumed: beyond it
# the probabilities hardly change.
MAX_FITTED = 20_000
# The finding is a warning from this share on, a note below. Ten test sets have 3.3 % errors on average, and half of the
# flags are confirmed (Northcutt et al., 2021): up to here the data is like others.
WARN_FROM = 0.05
_SOURCE = 'Northcutt, Athalye and Mueller, "Pervasive Label Errors in Test Sets", 2021'


@dataclass(frozen=True, slots=True)
class Suspect:
    """One label that is doubted.

    Attributes:
        id: Of the example.
        part: `train` or `validation`.
        label: The class it was given.
        suggested: The class it is taken for.
        p_label: Probability of the given class, by a head that was fitted without the example.
        p_suggested: Probability of the suggested class.
        like_label: Id of the clearest example of the given class; empty where there is none.
        like_suggested: Id of the clearest example of the suggested class; empty where there is none.
    """

    id: str
    part: str
    label: str
    suggested: str
    p_label: float
    p_suggested: float
    like_label: str
    like_suggested: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What was found about the labels of train and validation.

    Attributes:
        suspects: The most doubted first.
        n: Examples that were judged.
        n_not_judged: Examples of classes that stand in one fold alone, so that no head knew the class without them.
    """

    suspects: tuple[Suspect, ...]
    n: int
    n_not_judged: int

    @property
    def ceiling(self) -> Score:
        """What always telling the true class would score if all suspects, and as many of other labels, were wrong."""
        return share("ceiling", self.n - len(self.suspects), self.n)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON, without the single suspects."""
        return {
            "n": self.n,
            "n_suspects": len(self.suspects),
            "n_not_judged": self.n_not_judged,
            "ceiling": self.ceiling.as_dict(),
            "confirmed_share": CONFIRMED_SHARE,
        }


def suspect_labels(
    parts: Mapping[str, Part],
    materials: Materials,
    *,
    path: Sequence[PathPoint],
    clusters: Int[np.ndarray, " examples"],
    seed: int,
) -> Suspicion | None:
    """The doubtful labels of the parts together; None where there are no pretrained features to judge by.

    Args:
        parts: By name; train and validation.
        materials: Hold the features of their pictures.
        path: The penalties of the run's own head.
        clusters: Of the parts' examples one after another; equal numbers stay in one fold.
        seed: Of the folds.
    """
    chosen = [point.l2 for point in path if point.chosen]
    if materials.pretrained is None or not chosen:
        return None
    features = np.concatenate([materials.rows("features", part).all() for part in parts.values()])
    labels = np.concatenate([part.labels for part in parts.values()])
    classes = next(iter(parts.values())).examples.classes
    folds = make_folds(labels, clusters, n_folds=N_FOLDS, generator=stream(seed, "folds"))
    probabilities, judged = out_of_fold(features, labels, len(classes), folds=folds, l2=chosen[0])
    where = [(name, part.examples.ids[index]) for name, part in parts.items() for index in range(len(part.labels))]
    where = [place for place, is_judged in zip(where, judged.tolist(), strict=True) if is_judged]
    found = _told(where, classes, probabilities[judged], labels[judged])
    return Suspicion(found, int(judged.sum()), int((~judged).sum()))


def _told(
    where: Sequence[tuple[str, str]],
    classes: Sequence[str],
    probabilities: Float[np.ndarray, "examples classes"],
    labels: Int[np.ndarray, " examples"],
) -> tuple[Suspect, ...]:
    found = find_suspects(probabilities, labels)
    clearest = clearest_of_classes(probabilities, labels, found)
    like = [where[index][1] if index >= 0 else "" for index in clearest.tolist()]
    rows = zip(found.indices.tolist(), found.given.tolist(), found.suggested.tolist(), strict=True)
    return tuple(
        Suspect(
            id=where[index][1],
            part=where[index][0],
            label=classes[given],
            suggested=classes[suggested],
            p_label=float(probabilities[index, given]),
            p_suggested=float(probabilities[index, suggested]),
            like_label=like[given],
            like_suggested=like[suggested],
        )
        for index, given, suggested in rows
    )


def out_of_fold(
    features: Float[np.ndarray, "examples features"],
    labels: Int[np.ndarray, " examples"],
    n_classes: int,
    *,
    folds: Int[np.ndarray, " examples"],
    l2: float,
) -> tuple[Float[np.ndarray, "examples classes"], Bool[np.ndarray, " examples"]]:
    """Probabilities of each example by a head that was fitted to the other folds, and which of them can be judged by.

    An example whose class stands in no other fold is not judged: no head could have known its class.

    Args:
        features: Of the examples.
        labels: Of the examples.
        n_classes: How many classes there are.
        folds: The fold of each.
        l2: The penalty of each head, as `models.heads.fit_heads` takes it.
    """
    probabilities = np.zeros((len(labels), n_classes))
    judged = np.zeros(len(labels), bool)
    # Every so many, which keeps the shares of classes that lie in order.
    rows = np.arange(0, len(labels), -(-len(labels) // MAX_FITTED))
    heads = fit_without_folds(features[rows], labels[rows], n_classes, folds=folds[rows], l2=l2)
    for fold, head in heads:
        inside = folds == fold
        logits = features[inside] @ head.weight.T + head.bias
        probabilities[inside] = np.exp(log_softmax(logits))
        judged[inside] = np.isin(labels[inside], labels[rows][folds[rows] != fold])
    return probabilities, judged


def doubt_about_labels(suspicion: Suspicion | None) -> list[Finding]:
    """The finding; none where no label is doubted or none was judged."""
    if suspicion is None or not suspicion.suspects:
        return []
    n = len(suspicion.suspects)
    first = suspicion.suspects[0]
    return [
        Finding(
            code="suspect-labels",
            severity="warning" if n >= WARN_FROM * suspicion.n else "note",
            what=f"{n:,} of {suspicion.n:,} labels of train and validation ({n / suspicion.n:.1%}) look wrong to heads "
            f"that were fitted without them; the first: {first.id!r} is labelled {first.label!r} and looks like "
            f"{first.suggested!r}",
            why="Wrong labels teach the wrong thing, and where test labels are wrong as often, even a model that is "
            f"always right cannot score 100%. Only about half of such flags ({CONFIRMED_SHARE:.0%}) were confirmed by "
            "people: the rest are likely right, and hard to tell.",
            fix="Look at them in report.html (suspects.parquet has all) and mend those that are wrong; heldout changes "
            "and removes none.",
            where=tuple(suspect.id for suspect in suspicion.suspects[:MAX_NAMED]),
            source=_SOURCE,
        )
    ]
