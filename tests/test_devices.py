import pytest

from heldout.devices import chosen_device, has_nvidia
from heldout.errors import UsageError


def test_the_cpu_is_taken_where_it_is_asked_for() -> None:
    assert chosen_device("cpu") == "cpu"


@pytest.mark.skipif(has_nvidia(), reason="there is a GPU")
def test_without_a_gpu_auto_is_the_cpu_and_cuda_an_error() -> None:
    assert chosen_device("auto") == "cpu"
    with pytest.raises(UsageError, match=r"device is 'cuda', and torch .* finds no GPU"):
        chosen_device("cuda")
