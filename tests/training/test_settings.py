import subprocess
import sys
from typing import Any

import pytest

from heldout.data.pictures.augment import STRENGTHS
from heldout.errors import UsageError
from heldout.models.regimes import REGIMES
from heldout.training.settings import AUGMENTATIONS, TrainingSettings, defaults

NAN, INF = float("nan"), float("inf")
NOT_WHOLE = [0, -1, 10**9, 1.5, 5.0, True, "5", None, NAN]
NOT_A_RATE = [0, 0.0, -0.1, NAN, INF, 101, "0.1", None, True]
NOT_A_SHARE = [-0.1, 1, 1.0, NAN, INF, "0.5", None, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("epochs", value) for value in NOT_WHOLE],
        *[("batch_size", value) for value in NOT_WHOLE],
        *[("patience", value) for value in NOT_WHOLE if value is not None],
        *[("learning_rate", value) for value in [*NOT_A_RATE, "fnd", ["find"]]],
        *[(name, value) for name in ("momentum", "warmup_share", "label_smoothing") for value in NOT_A_SHARE],
        *[("weight_decay", value) for value in (-1e-9, NAN, INF, 11, "0", None, False)],
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_value_and_what_was_expected(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"{name} is ") as caught:
        defaults("full", {name: value})
    assert repr(value) in caught.value.what
    assert "number" in caught.value.expected
    assert f"training.{name}" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "value", "nearest"),
    [("optimiser", "adam", "adamw"), ("augment", "lite", "light"), ("precision", "float3", "float32")],
)
def test_an_unknown_word_is_refused_with_the_nearest(name: str, value: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f'training.{name} is {value!r}.*did you mean "{nearest}"'):
        defaults("full", {name: value})


@pytest.mark.parametrize("value", [3, None, ["sgd"]])
def test_a_word_that_is_no_word_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match=r"training\.optimiser is"):
        defaults("full", {"optimiser": value})


def test_an_unknown_setting_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no setting 'learning_rat'; did you mean \"learning_rate\""):
        defaults("full", {"learning_rat": 0.1})


def test_every_regime_has_defaults() -> None:
    made = {regime: defaults(regime) for regime in REGIMES}
    assert all(isinstance(settings, TrainingSettings) for settings in made.values())
    assert made["full"].epochs < made["partial"].epochs < made["scratch"].epochs
    assert made["partial"].augment == made["frozen"].augment == "none"
    with pytest.raises(UsageError, match=r"regime is 'frosen'.*did you mean \"frozen\""):
        defaults("frosen")


@pytest.mark.parametrize("regime", REGIMES)
def test_a_rate_to_be_found_is_the_one_word_that_may_stand_for_a_number(regime: str) -> None:
    assert defaults(regime, {"learning_rate": "find"}).learning_rate == "find"
    assert defaults(regime, {"learning_rate": 0.5}).rate == 0.5
    with pytest.raises(UsageError, match="learning_rate is 'fnd'; did you mean \"find\"") as caught:
        defaults(regime, {"learning_rate": "fnd"})
    assert "find" in caught.value.expected


def test_a_rate_that_is_yet_to_be_found_is_no_number() -> None:
    with pytest.raises(AssertionError, match="yet to be found"):
        _ = defaults("full", {"learning_rate": "find"}).rate


def test_adamw_brings_its_own_rates_unless_they_are_given() -> None:
    assert defaults("full", {"optimiser": "adamw"}).rate < defaults("full").rate
    assert defaults("full", {"optimiser": "adamw", "learning_rate": 0.5}).learning_rate == 0.5


def test_the_words_of_augmentation_are_those_that_augmentation_knows() -> None:
    assert set(AUGMENTATIONS) == {"none", *STRENGTHS}


def test_settings_are_checked_without_torch() -> None:
    code = "import sys; from heldout.training.settings import defaults; defaults('full'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
