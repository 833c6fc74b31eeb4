"""What lets `import torchvision` work beside a CPU-only torch, in the scripts of this folder; Python imports it first.

The wheel of torchvision on the package registry is built against CUDA torch. Beside CPU torch its compiled operators
do not load, and the import stops, for it describes two operators that nobody declared. The scripts must look like
anybody's, so the two are declared from here, at the moment when torchvision would miss them and only where it would.
"""

import sys

_held = []  # a declaration lives as long as its object


class BeforeDescriptions:
    """Declares torchvision's two operators just before it describes them; finds no module itself."""

    def find_spec(self, name, path=None, target=None):
        """Nothing ever: the next finder is asked."""
        if name == "torchvision._meta_registrations":
            import torch

            for operator in ("nms", "qnms"):
                if not hasattr(torch.ops.torchvision, operator):
                    library = torch.library.Library("torchvision", "FRAGMENT")
                    library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                    _held.append(library)


sys.meta_path.insert(0, BeforeDescriptions())
