"""What lets torchvision's registry wheel import beside a CPU-only torch: import this file before torchvision.

The wheel on the package registry is built against CUDA torch. Beside CPU torch its compiled operators do not
load, and the import stops with "operator torchvision::nms does not exist", because torchvision registers
shape functions for two operators that nobody declared. Declaring their schemas is enough; the operators
themselves (box suppression, for detectors) are not called by any classifier.
"""

import torch

# Held for as long as the process lives: the declarations go away with the object.
_DECLARATIONS = torch.library.Library("torchvision", "FRAGMENT")
for _operator in ("nms", "qnms"):
    _DECLARATIONS.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
