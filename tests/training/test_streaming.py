"""Logistic regression on files row by row: the optimum, the parts, what is kept, and what is refused."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import heldout
from heldout.data.tabular.encoding import fit_encoder
from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError, UsageError
from heldout.training.row_classifier import load_rows
from heldout.training.stream_features import encoded_fast
from heldout.training.stream_kept import keep
from heldout.training.stream_rows import TEST, TRAIN, Labelling, label, open_stream
from heldout.training.streaming import StreamFit, fit_stream

N = 60_000


def rows_of(n: int, *, seed: int = 0, prevalence: float = 0.3) -> dict[str, np.ndarray]:
    """Two numbers, a word, a number that is missing in a tenth of the rows, and a label that hangs on all of them."""
    generator = np.random.default_rng(seed)
    size, weight = generator.normal(5, 2, n), generator.normal(-100, 30, n)
    colour = generator.integers(0, 3, n)
    age = np.where(generator.random(n) < 0.1, np.nan, generator.integers(0, 90, n))
    logits = 0.8 * (size - 5) - 0.02 * (weight + 100) + np.array([0, 1, -1])[colour] + 0.02 * np.nan_to_num(age - 45)
    shift = np.quantile(logits + generator.logistic(size=n), 1 - prevalence)
    label = np.where(logits + generator.logistic(size=n) > shift, "yes", "no")
    words = np.array(["blue", "green", "red"])[colour]
    return {"size": size, "weight": weight, "colour": words, "age": age, "label": label}


def written(path: Path, rows: Mapping[str, object], *, row_group: int = 7_000) -> Path:
    pq.write_table(pa.table(dict(rows)), path, row_group_size=row_group)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("stream") / "rows.parquet", rows_of(N))


@pytest.fixture(scope="module")
def fitted(file: Path) -> StreamFit:
    return fit_stream(file, "label", test_rows=6_000, sample_rows=3_000)


def train_rows(file: Path) -> np.ndarray:
    """Which rows are neither test nor validation."""
    stream = open_stream(file, "label", n_test=6_000, n_validation=20_000, seed=0)
    return np.flatnonzero(stream.parts(stream.hashes(0, N)) == TRAIN)


def test_the_optimum_of_all_rows_is_scikit_learns(file: Path, fitted: StreamFit) -> None:
    from sklearn.linear_model import LogisticRegression

    table = read_table(file)
    rows = train_rows(file)
    features = fitted.classifier.encoder.encode(table, rows).astype(np.float64)
    labels = np.array(table.column("label").to_pylist())[rows]
    assert fitted.n_sample < 4_000 < len(rows) == fitted.counts.sum()
    # Two classes with weights of their own are penalised half as much as one difference of weights is.
    theirs = LogisticRegression(C=2 / (fitted.l2 * len(rows)), tol=1e-10, max_iter=1000).fit(features, labels == "yes")
    weight, bias = fitted.classifier.scorer.tensors().values()
    ours = np.append(weight[1] - weight[0], bias[1] - bias[0])
    wanted = np.append(theirs.coef_[0], theirs.intercept_)
    # What chance does to the optimum itself is the root of the inverse curvature.
    p = theirs.predict_proba(features)[:, 1]
    whole = np.column_stack([features, np.ones(len(rows))])
    curvature = (whole * (p * (1 - p))[:, None]).T @ whole
    standard_error = np.sqrt(np.diag(np.linalg.pinv(curvature)))
    logits = features @ (ours[:-1] - wanted[:-1]) + ours[-1] - wanted[-1]
    assert np.sqrt(np.mean(p * (1 - p) * logits**2)) < 0.2 * np.sqrt(len(wanted) / len(rows))
    assert np.all(np.abs(ours[:2] - wanted[:2]) < 0.3 * standard_error[:2])


def test_scores_are_those_of_the_rows_that_were_held_out(file: Path, fitted: StreamFit) -> None:
    kept = keep(open_stream(file, "label", n_test=6_000, n_validation=20_000, seed=0), _labelling(file), n_sample=3_000)
    of_test = kept.of(TEST)
    logits = fitted.classifier.logits(fitted.classifier.encoder.encode(kept.table, of_test))
    accuracy = next(score for score in fitted.test.scores if score.name == "accuracy")
    assert accuracy.value == np.mean(logits.argmax(axis=1) == kept.labels[of_test])
    assert accuracy.low < accuracy.value < accuracy.high
    assert accuracy.n == len(of_test) == fitted.scores["data"]["n_test"]
    assert accuracy.low > fitted.baseline["high"]
    assert not set(kept.rows[of_test]) & set(train_rows(file))


def test_nothing_is_learned_from_the_test_rows(tmp_path: Path, file: Path, fitted: StreamFit) -> None:
    rows = rows_of(N)
    stream = open_stream(file, "label", n_test=6_000, n_validation=20_000, seed=0)
    is_test = np.flatnonzero(stream.parts(stream.hashes(0, N)) == TEST)
    rows["size"][is_test] = 1e9
    rows["label"][is_test] = rows["label"][is_test][::-1]
    again = fit_stream(written(tmp_path / "other.parquet", rows), "label", test_rows=6_000, sample_rows=3_000)
    for name, array in fitted.classifier.scorer.tensors().items():
        np.testing.assert_array_equal(again.classifier.scorer.tensors()[name], array)
    assert again.classifier.encoder == fitted.classifier.encoder
    assert again.test != fitted.test


def test_how_the_file_is_cut_into_groups_does_not_matter(tmp_path: Path, fitted: StreamFit) -> None:
    again = fit_stream(
        written(tmp_path / "rows.parquet", rows_of(N), row_group=N), "label", test_rows=6_000, sample_rows=3_000
    )
    assert [line.n for line in again.test.per_class] == [line.n for line in fitted.test.per_class]
    assert np.sqrt(np.mean((odds(again) - odds(fitted)) ** 2)) < 0.01


def test_first_rows_that_are_not_like_the_others_cost_a_pass_and_no_more(tmp_path: Path, fitted: StreamFit) -> None:
    rows = rows_of(N)
    # One group of rows, of which the first 50,000 are looked at: no age is missing there.
    order = np.argsort(np.isnan(rows["age"]), kind="stable")
    file = written(tmp_path / "rows.parquet", {name: each[order] for name, each in rows.items()}, row_group=N)
    found = fit_stream(file, "label", test_rows=6_000, sample_rows=3_000)
    assert found.classifier.encoder.feature_names == fitted.classifier.encoder.feature_names
    assert "age is missing" in found.classifier.encoder.feature_names
    # Other rows are test, so this is the noise of a fit to 50,000 rows, of which a tenth is not the same.
    assert np.sqrt(np.mean((odds(found) - odds(fitted)) ** 2)) < 0.04


def test_a_saved_fit_is_opened_by_predict(tmp_path: Path, fitted: StreamFit) -> None:
    folder = fitted.save(tmp_path / "run")
    rows = rows_of(50, seed=3)
    found = heldout.predict(folder, [written(tmp_path / "new.parquet", rows)])
    logits = fitted.classifier.logits(fitted.classifier.encoder.encode(read_table(rows)))
    assert [one.label for one in found] == [fitted.classifier.classes[i] for i in logits.argmax(axis=1)]
    assert load_rows(folder).temperature == fitted.classifier.temperature
    assert heldout.open_run(folder).scores["test"]["scores"][0]["low"] > 0.5
    with pytest.raises(UsageError, match="is there already"):
        fitted.save(folder)


def test_a_rare_class_is_in_the_sample_and_keeps_its_frequency(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.parquet", rows_of(N, prevalence=0.004))
    stream = open_stream(file, "label", n_test=6_000, n_validation=20_000, seed=0)
    kept = keep(stream, _labelling(file), n_sample=2_000)
    n_rare = np.count_nonzero(kept.labels[kept.of(TRAIN)] == 1)
    assert n_rare > 150  # of about 168 in train; 8 in a plain sample
    found = fit_stream(file, "label", imbalance="weights", test_rows=6_000, sample_rows=4_000)
    assert found.classifier.decision is not None
    assert found.classifier.decision.rule == "balanced"
    assert found.test.scores[0].name == "balanced_accuracy"
    assert found.test.scores[0].value > 0.7
    logits = found.classifier.logits(found.classifier.encoder.encode(read_table(file))) / found.classifier.temperature
    probability = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    assert 0.003 < probability.mean() < 0.0055  # weights alone would say 0.3


def test_columns_that_count_the_rows_are_left_out_and_the_target_again_is_refused(tmp_path: Path) -> None:
    rows = rows_of(N)
    rows["number"] = np.arange(N)
    found = fit_stream(written(tmp_path / "rows.parquet", rows), "label", test_rows=6_000, sample_rows=3_000)
    assert [(each.name, each.reason) for each in found.classifier.encoder.dropped] == [("number", "row number")]
    rows["again"] = rows["label"]
    with pytest.raises(DataError, match=r"'again' of .* says the label"):
        fit_stream(written(tmp_path / "leak.parquet", rows), "label", test_rows=6_000, sample_rows=3_000)


def test_copies_in_other_parts_are_found_in_a_sample(tmp_path: Path, fitted: StreamFit) -> None:
    assert [doubt.code for doubt in fitted.findings] == ["missing-values"]
    rows = {name: np.repeat(each[: N // 4], 4) for name, each in rows_of(N).items()}
    found = fit_stream(written(tmp_path / "rows.parquet", rows), "label", test_rows=6_000, sample_rows=3_000)
    doubts = {doubt.code: doubt.what for doubt in found.findings}
    assert doubts["duplicate-across-splits"].startswith("of a sample of 1")


def test_rows_without_a_label_are_refused_or_left_out(tmp_path: Path, fitted: StreamFit) -> None:
    rows = rows_of(N)
    stream_label = rows["label"].astype(object)
    stream_label[[5, 9_000]] = None, " "
    file = written(tmp_path / "rows.parquet", rows | {"label": stream_label})
    with pytest.raises(DataError, match=r"2 of 60,000 rows have no label"):
        fit_stream(file, "label")
    found = fit_stream(file, "label", skip_bad=True, test_rows=6_000, sample_rows=3_000)
    assert found.scores["data"]["n_left_out"] == found.n_unlabelled == 2
    assert found.counts.sum() + found.test.n + found.validation.n == N - 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": np.zeros(300, int)}, "is '0' in all 300 rows"),
        ({"label": np.full(300, np.nan)}, "has no label: all its cells are empty"),
        ({"label": np.arange(300) / 7}, "quantities and no classes"),
        ({"size": [[1, 2]] * 300}, "is of type list"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        fit_stream(written(tmp_path / "rows.parquet", rows_of(300) | change), "label")


def test_files_and_settings_that_cannot_be_meant_are_refused(tmp_path: Path, file: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        fit_stream(tmp_path / "rows.parquet", "label")
    (tmp_path / "rows.csv").write_text("a,label\n1,x\n")
    with pytest.raises(DataError, match="no Parquet file by its name"):
        fit_stream(tmp_path / "rows.csv", "label")
    (tmp_path / "broken.parquet").write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read"):
        fit_stream(tmp_path / "broken.parquet", "label")
    with pytest.raises(DataError, match='did you mean "label"'):
        fit_stream(file, "lable")
    with pytest.raises(UsageError, match="imbalance is 'focal'"):
        fit_stream(file, "label", imbalance="focal")
    with pytest.raises(UsageError, match="test_rows is 0"):
        fit_stream(file, "label", test_rows=0)


def test_fast_features_are_those_of_the_encoder() -> None:
    rows = rows_of(2_000)
    table = read_table(rows | {"count": np.arange(2_000) ** 2, "flag": rows["size"] > 5})
    encoder = fit_encoder(table, np.arange(1_000))
    rows["size"][[3, 4, 5]] = np.nan, np.inf, 1e300
    strange = read_table(rows | {"count": np.arange(2_000) ** 2, "flag": rows["size"] > 5})
    for one in (table, strange):
        np.testing.assert_allclose(encoded_fast(encoder, one), encoder.encode(one), rtol=1e-6, atol=1e-6)


_PEAK = """
import pathlib, sys
from heldout.training.streaming import fit_stream
fit_stream(sys.argv[1], "label", test_rows=2_000, sample_rows=20_000)
# Not what getrusage says: that has the parent's peak in it.
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    peaks, sizes = [], []
    for n in (200_000, 1_400_000):
        numbers = generator.normal(size=(12, n))
        columns = {f"x{i}": column for i, column in enumerate(numbers)}
        # One group of rows, as large as the file.
        file = written(
            tmp_path / f"{n}.parquet", columns | {"label": (numbers[0] > numbers[1] ** 3).astype(int)}, row_group=n
        )
        run = subprocess.run([sys.executable, "-c", _PEAK, file], capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout))
        sizes.append(file.stat().st_size)
    assert sizes[1] - sizes[0] > 110e6
    # The allocators alone keep 15 MB more or less from run to run (measured here, 2026-11-22).
    assert peaks[1] - peaks[0] < 50e6


def odds(found: StreamFit) -> np.ndarray:
    """What a fit says of new rows: log odds."""
    table = read_table(rows_of(2_000, seed=9))
    logits = found.classifier.logits(found.classifier.encoder.encode(table))
    return np.asarray(logits[:, 1] - logits[:, 0])


def _labelling(file: Path) -> Labelling:
    return label(open_stream(file, "label", n_test=6_000, n_validation=20_000, seed=0), skip_bad=False)
