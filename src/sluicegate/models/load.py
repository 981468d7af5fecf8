"""Open a causal language model and its tokenizer from a folder, a PEFT adapter folder or a hub name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sluicegate import runtime
from sluicegate.errors import ArtifactError, MissingError
from sluicegate.models import adapters, quantised
from sluicegate.models.encode import Encoder
from sluicegate.models.positions import readable_length

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")


@dataclass(frozen=True)
class Loaded:
    """A model in evaluation mode with its tokenizer; the model may be a `PeftModel` around its base."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    dtype_reason: str = ""
    """Why it is in its dtype, in words."""

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.model.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the parameters are."""
        return next(self.model.parameters()).dtype

    def encoder(self, max_length: int) -> Encoder:
        """Of its tokenizer; rows are cut at `max_length` tokens, or where the model stops reading."""
        return Encoder(self.tokenizer, readable_length(self.model.config, max_length))


def load(
    path: str | Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    name: str = "",
    reason: str = "",
    nf4: bool = False,
) -> Loaded:
    """A causal LM and its tokenizer; says which dtype was taken and why.

    Args:
        path: what `save_pretrained` wrote, a PEFT adapter folder (its base is loaded and the adapter put on), or a
            hub name.
        device: `auto`, or a torch device.
        dtype: `auto`, or the name of a torch dtype.
        revision: of a hub name.
        name: what to call it to the user; its folder's name if empty.
        reason: why the dtype was asked for, where it was not the user who did.
        nf4: hold the matrices of a base in 4 bits, and multiply in the dtype; for an adapter to be trained beside.

    Raises:
        MissingError: no such folder, weights or tokenizer; or, for `nf4`, no bitsandbytes.
        ArtifactError: a folder that holds something else.
    """
    at = runtime.pick_device() if device == "auto" else device
    chosen, why = runtime.pick_dtype(at, dtype)
    held = f"{'NF4 and ' if nf4 else ''}{str(chosen).removeprefix('torch.')}"
    runtime.say(f"  {name or Path(path).name}: {held} on {at} ({reason or why})")
    adapter = (Path(path) / adapters.SETTINGS).is_file()
    more = {"quantization_config": quantised.nf4(chosen), "device_map": {"": at}} if nf4 else {}
    model = _load_model(adapters.base_of(Path(path)) if adapter else path, chosen, revision, **more)
    if nf4:
        quantised.keep_gradients(model)
    if adapter:
        model = adapters.put_on(model, Path(path))
    return Loaded(model.to(at).eval(), load_tokenizer(path, revision), reason or why)


def load_plain(path: str | Path, name: str = "") -> Loaded:
    """`load`, ready to be read and gated: adapters are merged, gates of a converted folder come off.

    Raises:
        ArtifactError: the model makes its logits in a way `head_logits` does not know.
    """
    from sluicegate.models.quality_gate import take_gates_off
    from sluicegate.models.surprise import check_head

    loaded = load(path, name=name)
    model: Any = loaded.model
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload().requires_grad_(True)  # peft froze the base
    check_head(take_gates_off(model))
    return replace(loaded, model=model)


def load_encoder(path: str | Path, max_length: int) -> Encoder:
    """`Loaded.encoder` of a model whose weights are not loaded for it."""
    from transformers import AutoConfig

    tokenizer = load_tokenizer(path)  # it registers our own model type
    adapter = (Path(path) / adapters.SETTINGS).is_file()
    base = adapters.base_of(Path(path)) if adapter else path
    with _hub_errors(base):
        config = AutoConfig.from_pretrained(base)
    return Encoder(tokenizer, readable_length(config, max_length))


def load_tokenizer(path: str | Path, revision: str | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer beside a model.

    One without a pad token pads with its end token. That hides no end token from a loss, because labels and
    attention masks here come from lengths and never from comparing ids with the pad id.
    """
    from transformers import AutoTokenizer

    import sluicegate.models.gpt  # noqa: F401  (registers its model type)

    folder = _folder(path)
    if folder and not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise MissingError(
            f"{path} has no tokenizer", "copy tokenizer.json and tokenizer_config.json of its base there"
        )
    with _hub_errors(path):
        tokenizer = AutoTokenizer.from_pretrained(path, revision=revision)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _load_model(path: str | Path, dtype: torch.dtype, revision: str | None, **more: Any) -> Any:
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    import sluicegate.models.gpt  # noqa: F401  (registers its model type)

    disable_progress_bar()  # a bar of tqdm's for every load

    folder = _folder(path)
    if folder and not (folder / "config.json").is_file():
        raise MissingError(f"{path} has no config.json", "give a folder that save_pretrained wrote")
    with _hub_errors(path):
        return AutoModelForCausalLM.from_pretrained(path, dtype=dtype, revision=revision, use_safetensors=True, **more)


def _folder(path: str | Path) -> Path | None:
    """The local folder `path` means, or None for a hub name."""
    folder = Path(path)
    if folder.is_dir():
        return folder
    if folder.is_file():
        raise ArtifactError(f"{path} is a file", "give the folder that save_pretrained wrote")
    if isinstance(path, Path) or str(path).startswith((".", "/", "~")) or str(path).count("/") > 1:
        raise MissingError(f"no model folder {path}", "give a folder that save_pretrained wrote, or a hub name")
    return None


@contextmanager
def _hub_errors(path: str | Path) -> Iterator[None]:
    """`from_pretrained` raises OSError for what is missing and ValueError for what it does not know."""
    try:
        yield
    except OSError as err:
        get = "the folder is incomplete: save it anew" if Path(path).is_dir() else f"get it with: hf download {path}"
        raise MissingError(f"cannot open {path}: {_first_line(err)}", get) from err
    except ValueError as err:
        raise ArtifactError(f"cannot open {path}: {_first_line(err)}", "it must be a causal language model") from err


def _first_line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0]
