"""What the Auto classes of transformers learn of this package: a gated model's folder, and our own model type.

They are told when they are imported and not before, so that `import sluicegate` stays light. `_get_model_class` is
where they choose the class for a config; it is asked first, as ever, and its answer is only made a gated one where
`AutoModelForCausalLM` opens a folder whose `config.json` names `QualityGateForCausalLM`. The package's own import
needs this file, so it stands below all others and knows the models by their names alone.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

AUTO = "transformers.models.auto.modeling_auto"
GATED = "QualityGateForCausalLM"


def introduce() -> None:
    """Tell the Auto classes now, or as soon as they are imported."""
    if AUTO in sys.modules:
        _tell(sys.modules[AUTO])
    else:
        sys.meta_path.insert(0, _Waiting())


class _Waiting(MetaPathFinder):
    """Finds nothing itself: it has the Auto classes told once they are loaded, and is gone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != AUTO:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        loader: Any = spec.loader if spec else None
        if loader is not None:
            load = loader.exec_module

            def load_and_tell(module: ModuleType) -> None:
                load(module)
                _tell(module)

            loader.exec_module = load_and_tell
        return spec


def _tell(auto: Any) -> None:
    """Where transformers is not built as it was when this was written, it goes on without us."""
    try:
        factory: Any = import_module("transformers.models.auto.auto_factory")
        choose, causal = factory._get_model_class, auto.AutoModelForCausalLM._model_mapping
        import_module("sluicegate.models.gpt")  # registers its model type
        # By this list the Trainer knows for whom it must shift labels, and pipelines whom they can serve.
        auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES["quality_gate"] = GATED
    except (ImportError, AttributeError) as err:
        warnings.warn(f"folders of gated models open as their plain base: {err}", stacklevel=2)
        return

    def choose_gated(config: Any, mapping: Any) -> Any:
        plain = choose(config, mapping)
        if mapping is not causal or GATED not in (config.architectures or ()):
            return plain
        return import_module("sluicegate.models.quality_gate").gated_class(plain)

    factory._get_model_class = choose_gated
