"""The sections of a plan: plain records, whose values `plan_checks` judges."""

from dataclasses import dataclass

from heldout.data.pictures.decoding import MAX_PIXELS
from heldout.models.backbones import DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlan:
    """Which examples, and how they are split where the data does not say.

    Attributes:
        path: The folder, archive or listing of pictures, as a path or an address; or the file of a table.
        target: The column of a table that holds the labels; empty for pictures.
        test: Another file of the table, whose rows are the test part; empty for none.
        validation: The same for the validation part.
        skip_bad: Leave unreadable files, or rows without a label, out instead of refusing.
        test_share: Share of all examples that are held out, where the data has no test part.
        validation_share: Share of the others, where the data has no validation part.
        max_pixels: Larger pictures are unreadable.
        group_by: A column of the listing or table, or a regular expression on the path, that names what must not be
            parted; empty for none.
    """

    path: str
    target: str = ""
    test: str = ""
    validation: str = ""
    skip_bad: bool = False
    test_share: float = 0.2
    validation_share: float = 0.2
    max_pixels: int = MAX_PIXELS
    group_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """Which network, from which weights, and what of it learns.

    Attributes:
        backbone: A name that `models.backbones` knows.
        weights: `imagenet`, `none` or a file.
        regime: `frozen`, `partial`, `full` or `scratch`.
        download: Whether published weights may be fetched.
    """

    backbone: str = DEFAULT
    weights: str = "imagenet"
    regime: str = "frozen"
    download: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableModelPlan:
    """Which model of the rows of a table.

    Attributes:
        name: `linear`, `mlp` or `boosting`.
        width: Of each hidden layer of an `mlp`.
        layers: Hidden layers of an `mlp`.
    """

    name: str = "linear"
    width: int = 64
    layers: int = 2

    @property
    def regime(self) -> str:
        """What stands where pictures have a regime: all of the model learns, and its name says what that is."""
        return self.name

    @property
    def hidden(self) -> tuple[int, ...]:
        """The widths of the hidden layers."""
        return (self.width,) * self.layers if self.name == "mlp" else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPlan:
    """How a class is decided on once the probabilities are known; chosen on validation, where anything is.

    Attributes:
        threshold: `likeliest`, `balanced`, `balanced_accuracy`, `f1`, `mcc`, or a probability of the positive class
            as a text; empty for `balanced` after training with weights or balanced batches, and `likeliest` otherwise.
        costs: What mistakes cost, such as `sick:well=10`, or a file; empty where all cost the same.
        positive: The class that a threshold is about; empty for the rarer one of two.
        positive_weight: How much an example of that class counts in `weighted_accuracy`; 0 leaves that score out.
    """

    threshold: str = ""
    costs: str = ""
    positive: str = ""
    positive_weight: float = 0.0
