"""Models: load, encode, gate, generate."""

import logging

# What transformers and peft import where they find it, and what that then tells of kernels nobody asked it for.
for name in ("torchao", "torch.utils._pytree", "bitsandbytes.backends.cpu.ops"):
    logging.getLogger(name).setLevel(logging.ERROR)
