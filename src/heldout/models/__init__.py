"""Networks that turn pixels into features and features into class scores. No data, no training.

Requirements this folder meets:

- The names, pixel numbers and weights files of the backbones can be read without torch: the fast path of
  a frozen backbone never imports it (`backbones.py`, `fetching.py`, `regimes.py` and finding a file in
  `weights.py`).
- State-dict keys are those of torchvision (ResNet) and timm (EfficientNet-Lite), so published files load.
- Every random number comes from a generator that the caller made; torch's global one is never touched.
- A weights file is data: it is never executed, and nothing is fetched unless that was asked for.

Files, in reading order:

- `backbones.py`: the names, what pixels each expects, where its ImageNet weights are
- `network.py`: what every network here can do, and how random weights are drawn
- `resnet.py`, `efficientnet_lite.py`: our own architectures
- `timm_bridge.py`: the others, as an extra
- `fetching.py`: published weights -> a checked file in the cache
- `kept_files.py`: files in the cache that must be what was written
- `state_files.py`: a weights file from anywhere -> tensors -> a network
- `weights.py`: `imagenet`, `none` or a file -> weights in a network, with a record of where they came from
- `regimes.py`: which parts learn
- `build.py`: a name and a number of classes -> a network ready to train
- `engines.py`: a frozen backbone as a function from pixels to features
- `folding.py`: a network for inference alone
- `prepared.py`, `conversion.py`: backbones made ready for their engine, once
- `choosing.py`: which engine is fastest for a backbone on this machine
- `heads.py`: a linear head fitted to features; `likelihood.py`, `changing.py`: its loss, and variables evenly curved
"""
