"""Real pictures that an installed package ships: scikit-learn's handwritten digits, written out as a folder of PNGs."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from heldout.records import remove_strays, write_atomic

_SCALE = 8  # 8 x 8 pixels become 64 x 64: nearer to what photos are


def write_digits(folder: Path) -> Path:
    """Write the 1,797 digits as `folder/<digit>/<number>.png`, where they are not there yet, and give the folder.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository (1998), test part, as
    scikit-learn ships it.

    Raises:
        StorageError: The disk refused.
    """
    from sklearn.datasets import load_digits

    remove_strays(folder)
    digits: Any = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)  # 16 grey levels
    for number, (image, label) in enumerate(zip(pixels, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        if path.is_file():
            continue
        out = io.BytesIO()
        side = image.shape[0] * _SCALE
        Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC).save(out, "PNG")
        write_atomic(path, out.getvalue())
    return folder
