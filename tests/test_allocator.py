import subprocess
import sys

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
