import subprocess
import sys

import pytest

from heldout.allocator import keep_freed_memory

COUNT_FAULTS = """
import resource, sys
if "keep" in sys.argv:
    from heldout.allocator import keep_freed_memory
    keep_freed_memory()
import numpy as np
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**22)  # 32 MiB, over the largest threshold that glibc finds by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def n_faults(*arguments: str) -> int:
    done = subprocess.run([sys.executable, "-c", COUNT_FAULTS, *arguments], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_is_kept_instead_of_faulted_in_again() -> None:
    if not keep_freed_memory():
        assert not sys.platform.startswith("linux") or "glibc" not in sys.version.lower()
        return
    assert n_faults("keep") < n_faults() / 10


RESIDENT = """
import sys
from heldout.allocator import give_back_freed_memory, keep_freed_memory
keep_freed_memory()
import numpy as np
def megabytes():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * 4096 // 2**20
def used():
    held = [np.ones(2**20) for _ in range(25)]  # 200 MiB
    return megabytes()
full = used()
kept = megabytes()
give_back_freed_memory()
print(full, kept, megabytes())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_that_is_kept_can_be_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True)
    full, kept, left = map(int, done.stdout.split())
    if kept < full - 100:
        pytest.skip("this C library keeps nothing")
    assert left < kept - 150
