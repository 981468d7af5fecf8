"""Byte-level BPE trained from scratch (arXiv 1508.07909), with the chat format its models speak; or any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from sluicegate.errors import ArtifactError, MissingError
from sluicegate.models.encode import DEFAULT_TEMPLATE
from sluicegate.models.load import load_tokenizer
from sluicegate.schema import Message

PAD, USER, ASSISTANT, END = SPECIAL_TOKENS = ("<pad>", "<user>", "<assistant>", "<end>")
MIN_VOCAB = 256 + len(SPECIAL_TOKENS)

# Every turn that is not the assistant's, a system prompt too, is read as the user's. What lies between the generation
# marks, the end of the turn included, is what fine-tuning learns. No `<end>` closes a prompt: in pretraining it parts
# documents, so a model has learnt to forget what lies before it, and could not look back at the question.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    f"{ASSISTANT}{{% generation %}}{{{{ message['content'] }}}}{END}{{% endgeneration %}}"
    "{% else %}"
    f"{USER}{{{{ message['content'] }}}}"
    "{% endif %}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{ASSISTANT}{{% endif %}}"
)


def train_bpe(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `vocab_size` tokens, which decodes whatever it encoded to the same text.

    Each digit stands alone, together with a space before it, so that numbers are read digit by digit and cost no
    extra token. Special tokens have the ids 0 to 3; `<end>` is eos and `<pad>` is pad, two tokens, so that padding
    never hides an end from the loss. The same texts in the same order give the same tokenizer.
    """
    bpe = Tokenizer(models.BPE())
    digits = pre_tokenizers.Split(Regex(r" ?\d"), "isolated")
    bpe.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def document_text(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """What pretraining reads of a record: a lone assistant turn is plain text, anything else a chat."""
    if [m["role"] for m in messages] == ["assistant"]:
        return f"{tokenizer.bos_token or ''}{messages[0]['content']}{tokenizer.eos_token}"
    turns = [{"role": m["role"], "content": m["content"]} for m in messages]
    template = None if tokenizer.chat_template else DEFAULT_TEMPLATE
    return str(tokenizer.apply_chat_template(turns, chat_template=template, tokenize=False))


def open_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """Any tokenizer to pretrain with, from a folder or the hub.

    Raises:
        MissingError: there is none.
        ArtifactError: it has no end token, or no `tokenizer.json`.
    """
    found = load_tokenizer(name)
    if not found.is_fast or found.eos_token_id is None:
        lacks = "no end token to part documents with" if found.is_fast else "no tokenizer.json"
        raise ArtifactError(f"the tokenizer {name} has {lacks}", "take another, or leave `tokenizer` out to train one")
    return found


def tokenizer_json(name: str) -> Path:
    """The file that decides how a tokenizer of a folder or of the hub encodes; `MissingError` where there is none."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if (found := Path(name) / "tokenizer.json").is_file():
        return found
    try:
        return Path(hf_hub_download(name, "tokenizer.json"))
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as err:
        raise MissingError(f"no tokenizer.json in {name}", "name a folder with one, or a set of the hub") from err
