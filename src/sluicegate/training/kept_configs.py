"""A model's configs as they came, whatever a trainer writes into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def kept_configs(model: Any) -> Iterator[None]:
    """What trainers write into a model's configs is taken back: that it generates without a cache, and the tokenizer's
    pad token, for which, where it is the end token too, whoever opens the model next would train no embedding."""
    configs = (model.config, model.config.get_text_config(), model.generation_config)
    before = [dict(vars(config)) for config in configs]
    yield
    for config, values in zip(configs, before, strict=True):
        vars(config).update(values)
