"""A row of every shape: someone asks q, is answered a, and where there are two answers the other one is b."""

from __future__ import annotations

from typing import Any

ASKED, SAID, WORSE = ({"role": r, "content": c} for r, c in (("user", "q"), ("assistant", "a"), ("assistant", "b")))

ROWS: dict[str, dict[str, Any]] = {
    "messages": {"messages": [ASKED, SAID]},
    "less": {"dataset": "dolly", "id": "dolly_0", "messages": [ASKED, SAID]},
    "sharegpt": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    "conversation": {"conversation": [ASKED, SAID], "language": "English", "toxic": False},
    "alpaca": {"instruction": "q", "input": "", "output": "a"},
    "dolly": {"instruction": "q", "context": "", "response": "a", "category": "open_qa"},
    "prompt_completion": {"prompt": "q", "completion": "a"},
    "question_answer": {"question": "q", "answer": "a"},
    "self_instruct": {"instruction": "q", "instances": [{"input": "", "output": "a"}]},
    "text": {"text": "a"},
    "coig": {"instruction": "q", "conversations": [{"question": "", "answer": "a"}]},
    "coig_exam": {"textbox_q_instruction": "q", "textbox_question": "1+1", "textbox_answer": "a"},
    "coig_translated": {"instruction": "Q", "output": "A", "trans_instruction": "q", "trans_output": "a"},
    "coig_pc_core": {
        "instruction": "q",
        "input": "",
        "output": "a",
        "split": "train",
        "task_name_in_eng": "paraphrase",
        "task_type": {"major": ["文本分类"], "minor": ["语义相似"]},
        "domain": ["general"],
        "other": {},
    },
    "gsm8k": {"question": "q", "answer": "a\n#### 1,234"},
    "math": {"problem": "q", "solution": "a", "level": "Level 5", "type": "Algebra"},
    "cmath": {"grade": 1, "question": "q", "golden": "a", "reasoning_step": 1},
    "mgsm": {"dataset": "mgsm-zh", "id": "0", "messages": [ASKED, {**SAID, "content": ""}], "answer": "a"},
    "choices": {"query": "q", "choices": ["a", "b"], "gold": 0},
    "hellaswag": {"ctx": "q", "endings": ["b", "a"], "label": "1", "ind": 3},
    "winogrande": {"sentence": "q", "option1": "a", "option2": "b", "answer": "1"},
    "mmlu": {"question": "q", "subject": "s", "choices": ["b", "a", "c"], "answer": 1},
    "exam": {"id": 0, "question": "q", "A": "c", "B": "a", "C": "b", "D": "d", "answer": "B", "explanation": ""},
    "cmmlu": {"Question": "q", "A": "a", "B": "c", "C": "b", "D": "d", "Answer": "A"},
    "preference": {"prompt": "q", "chosen": "a", "rejected": "b"},
    "ultrafeedback": {
        "prompt": "q",
        "prompt_id": "1",
        "chosen": [ASKED, SAID],
        "rejected": [ASKED, WORSE],
        "messages": [ASKED, SAID],
        "score_chosen": 9.0,
        "score_rejected": 2.0,
    },
    "hh_rlhf": {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
    "shp": {"history": "q", "human_ref_A": "b", "human_ref_B": "a", "labels": 0, "score_ratio": 3.0},
    "pku_saferlhf": {
        "prompt": "q",
        "response_0": "b",
        "response_1": "a",
        "is_response_0_safe": True,
        "is_response_1_safe": False,
        "better_response_id": 1,
        "safer_response_id": 0,
    },
    "dpo_en_zh": {
        "conversations": [{"from": "human", "value": "q"}],
        "chosen": {"from": "gpt", "value": "a"},
        "rejected": {"from": "gpt", "value": "b"},
    },
    "alpaca_pairs": {"instruction": "q", "input": "", "output": ["a", "b"]},
    "oasst_tree": {
        "message_tree_id": "t",
        "prompt": {"text": "q", "role": "prompter", "replies": [{"text": "a", "role": "assistant", "replies": []}]},
    },
    "oasst_flat": {"message_id": "m", "parent_id": None, "message_tree_id": "m", "role": "prompter", "text": "q"},
}
CHOSEN = {"choices": "A", "hellaswag": "B", "winogrande": "A", "mmlu": "B", "exam": "B", "cmmlu": "A"}
ANSWER = {"gsm8k": "1234", "cmath": "a", "mgsm": "a", "coig_exam": "a", **CHOSEN}
"""The final answers these rows have."""
PAIRS = ("preference", "ultrafeedback", "hh_rlhf", "shp", "pku_saferlhf", "dpo_en_zh", "alpaca_pairs")
