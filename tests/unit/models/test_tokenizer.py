from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from sluicegate.models.tokenizer import MIN_VOCAB, SPECIAL_TOKENS, document_text, train_bpe

TEXTS = [f"Tom has {n} apples and buys {n + 3} more. The answer is {2 * n + 3}. 答案是 {n} 个。" for n in range(60)]
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How many?"},
    {"role": "assistant", "content": "The answer is 7."},
    {"role": "user", "content": "Sure?"},
    {"role": "assistant", "content": "Yes."},
]
TOKENIZER = train_bpe(TEXTS, 300)


def test_the_vocabulary_starts_with_the_special_tokens_and_has_the_size_asked_for() -> None:
    assert TOKENIZER.convert_ids_to_tokens(range(4)) == list(SPECIAL_TOKENS)
    assert len(TOKENIZER) == 300
    assert (TOKENIZER.pad_token_id, TOKENIZER.eos_token_id) == (0, 3)
    assert set(TOKENIZER.all_special_tokens) == set(SPECIAL_TOKENS)
    assert len(train_bpe(["a"], MIN_VOCAB)) == MIN_VOCAB


def test_the_same_texts_give_the_same_tokenizer() -> None:
    again = train_bpe(iter(TEXTS), 300)
    assert again.backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()
    assert train_bpe(TEXTS[:30], 300).backend_tokenizer.to_str() != TOKENIZER.backend_tokenizer.to_str()


def test_every_digit_stands_alone_or_with_the_space_before_it() -> None:
    assert TOKENIZER.tokenize("12") == ["1", "2"]
    assert TOKENIZER.tokenize("7.50") == ["7", ".", "5", "0"]
    assert train_bpe(TEXTS, 350).tokenize(" 305") == ["Ġ3", "0", "5"]
    assert all(sum(c.isdecimal() for c in token) <= 1 for token in TOKENIZER.get_vocab())


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    ids = TOKENIZER(text)["input_ids"]
    assert TOKENIZER.decode(ids) == text


def test_learned_pieces_are_shorter_than_bytes() -> None:
    assert len(TOKENIZER(TEXTS[0])["input_ids"]) < len(TEXTS[0].encode()) / 2


def test_the_template_marks_what_the_assistant_says_with_its_end() -> None:
    assert TOKENIZER.apply_chat_template(CHAT[1:3], tokenize=False) == (
        "<user>How many?<assistant>The answer is 7.<end>"
    )
    got = TOKENIZER.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    marked = [i for i, mark in zip(got["input_ids"], got["assistant_masks"], strict=True) if mark]
    assert TOKENIZER.decode(marked) == "The answer is 7.<end>Yes.<end>"


def test_the_template_reads_a_system_turn_as_the_users_and_opens_the_answer() -> None:
    text = TOKENIZER.apply_chat_template(CHAT[:2], tokenize=False, add_generation_prompt=True)
    assert text == "<user>Be brief.<user>How many?<assistant>"


def test_a_document_is_plain_text_and_anything_else_a_chat() -> None:
    assert document_text(TOKENIZER, [{"role": "assistant", "content": "2 + 2 = 4."}]) == "2 + 2 = 4.<end>"
    assert document_text(TOKENIZER, CHAT[1:3]).startswith("<user>How many?<assistant>")


def test_a_saved_tokenizer_comes_back(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    back: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(tmp_path)
    assert back.backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()
    assert back.apply_chat_template(CHAT) == TOKENIZER.apply_chat_template(CHAT)
    assert (back.pad_token, back.eos_token) == ("<pad>", "<end>")
