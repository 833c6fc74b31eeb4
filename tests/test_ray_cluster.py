import sys

import pytest

from heldout.errors import MissingExtra, UsageError
from heldout.ray_cluster import Cluster, check_cpus, connected


def test_without_ray_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with pytest.raises(MissingExtra, match=r"Ray is not installed[\s\S]*pip install 'heldout\[ray\]'"), connected():
        raise AssertionError("connected to nothing")


def test_places_are_counted_node_by_node() -> None:
    cluster = Cluster({"10.0.0.1": 3.0, "10.0.0.2": 4.0}, 0.0, False, 1.0)
    assert cluster.n_cpus == 7
    check_cpus(cluster, 7, 1, "it")
    check_cpus(cluster, 3, 2, "it")
    with pytest.raises(UsageError, match=r"it needs 4 times 2 CPUs at once, and the Ray cluster counts 3 at"):
        check_cpus(cluster, 4, 2, "it")
