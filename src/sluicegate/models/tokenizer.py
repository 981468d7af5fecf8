"""Byte-level BPE trained from scratch (arXiv 1508.07909), with the chat format its models speak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

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


def document_text(tokenizer: PreTrainedTokenizerFast, messages: Sequence[Message]) -> str:
    """What pretraining reads of a record: a lone assistant turn is plain text, anything else a chat."""
    if [m["role"] for m in messages] == ["assistant"]:
        return messages[0]["content"] + END
    turns = [{"role": m["role"], "content": m["content"]} for m in messages]
    return str(tokenizer.apply_chat_template(turns, tokenize=False))
