"""Makes the checkpoints beside this file with PyTorch: forms that only PyTorch itself writes.

python3 make.py FOLDER, with Debian 12's python3-torch (1.13) and python3-numpy.
"""

import argparse
import collections
import datetime
import functools
import random
import sys
import types

import numpy as np
import torch
from torch import nn

FOLDER = sys.argv[1]
torch.manual_seed(0)
random.seed(0)
SHAPES = {
    "cls_token": (1, 1, 4),
    "pos_embed": (1, 5, 4),
    "patch_embed.proj.weight": (4, 3, 2, 2),
    "patch_embed.proj.bias": (4,),
    "blocks.0.norm1.weight": (4,),
    "blocks.0.norm1.bias": (4,),
    "blocks.0.attn.qkv.weight": (12, 4),
    "blocks.0.attn.qkv.bias": (12,),
    "blocks.0.attn.proj.weight": (4, 4),
    "blocks.0.attn.proj.bias": (4,),
    "blocks.0.norm2.weight": (4,),
    "blocks.0.norm2.bias": (4,),
    "blocks.0.mlp.fc1.weight": (8, 4),
    "blocks.0.mlp.fc1.bias": (8,),
    "blocks.0.mlp.fc2.weight": (4, 8),
    "blocks.0.mlp.fc2.bias": (4,),
    "norm.weight": (4,),
    "norm.bias": (4,),
    "head.weight": (3, 4),
    "head.bias": (3,),
}
# Each element is its number in the file, so that a test knows them all.
WEIGHTS = collections.OrderedDict()
count = 0
for name, shape in SHAPES.items():
    size = int(np.prod(shape))
    WEIGHTS[name] = torch.arange(count, count + size, dtype=torch.float32).reshape(shape)
    count += size


class Holder(nn.Module):
    """A module that only holds parameters and modules."""

    def forward(self, x):
        return x


def module():
    root = Holder()
    for name, value in WEIGHTS.items():
        place = root
        *path, leaf = name.split(".")
        for part in path:
            if part not in place._modules:
                place.add_module(part, Holder())
            place = place._modules[part]
        place.register_parameter(leaf, nn.Parameter(value.clone()))
    return root


class AttributeDict(dict):
    pass


Pair = collections.namedtuple("Pair", "a b")

optimizer = torch.optim.AdamW(module().parameters(), lr=1e-3)
beside = {
    "model": WEIGHTS,
    "args": argparse.Namespace(lr=1e-3),
    "scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10).state_dict(),
    "array": np.arange(5),
    "objects": np.array(["a", None], dtype=object),
    "scalar": np.float64(2.5),
    "set": {1, 2},
    "frozenset": frozenset([1]),
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "counter": collections.Counter("aab"),
    "datetime": datetime.datetime(2026, 11, 28),
    "namespace": types.SimpleNamespace(a=1),
    "range": range(3),
    "slice": slice(1, 2),
    "complex": 1j,
    "bytearray": bytearray(b"xyz"),
    "partial": functools.partial(nn.LayerNorm, eps=1e-6),
    "rng": torch.arange(8, dtype=torch.uint8),
    "python_rng": (3, (1, 2, 624), None),
    "quantized": torch.quantize_per_tensor(torch.ones(3, 3), 0.1, 0, torch.qint8),
    "sparse": torch.eye(3).to_sparse(),
    "complex_tensor": torch.zeros(2, dtype=torch.complex64),
    "config": AttributeDict(a=AttributeDict(b=1)),
    "dtype": torch.qint8,
    "device": torch.device("cpu"),
    "size": torch.Size([1, 2]),
    "class": nn.LayerNorm,
    "pair": Pair(1, 2),
    "large": 2**100,
}
torch.save(beside, FOLDER + "/beside.pth")
torch.save(beside, FOLDER + "/beside_legacy.pth", _use_new_zipfile_serialization=False)
torch.save(module(), FOLDER + "/module_legacy.pth", _use_new_zipfile_serialization=False)
torch.jit.trace(module(), torch.zeros(1)).save(FOLDER + "/script.pt")
