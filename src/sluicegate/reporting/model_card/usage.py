"""How a bundle is opened: each snippet runs in the bundle's folder."""

from __future__ import annotations

from dataclasses import dataclass

QUESTION = "What is 17 plus 25?"


@dataclass(frozen=True)
class Usage:
    """What decides how a bundle is opened."""

    name: str
    base: str
    """The name of an adapter's base; empty for a whole model."""
    rank: int
    """The largest rank of an adapter."""
    house_class: bool
    """Whether only this package knows the model's class."""
    gguf: bool

    def sections(self) -> list[str]:
        """Markdown with a snippet per program that can open it."""
        return [self.transformers(), *([] if self.house_class else [self.vllm(), self.ollama()])]

    def transformers(self) -> str:
        """In Python; transformers puts an adapter on its base itself, where peft is installed."""
        known = "import sluicegate  # knows the model's class\n" if self.house_class else ""
        needs = "transformers peft" if self.base else "transformers"
        code = f'''\
{known}from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

folder = "."  # this folder, or its name on the hub
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
model.generation_config = GenerationConfig.from_pretrained(folder)
messages = [{{"role": "user", "content": "{QUESTION}"}}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
).to(model.device)
reply = model.generate(**inputs, max_new_tokens=256)[0, inputs["input_ids"].shape[1] :]
print(tokenizer.decode(reply, skip_special_tokens=True))
'''
        return f"With transformers (`pip install torch {needs}`):\n\n```python\n{code}```"

    def vllm(self) -> str:
        """A server that speaks OpenAI's protocol."""
        adapter = f"vllm serve {self.base} --enable-lora --max-lora-rank {self._room} --lora-modules {self.name}=."
        serve = adapter if self.base else f"vllm serve . --served-model-name {self.name}"
        body = f'{{"model": "{self.name}", "messages": [{{"role": "user", "content": "{QUESTION}"}}]}}'
        ask = f"curl http://localhost:8000/v1/chat/completions -H 'Content-Type: application/json' -d '{body}'"
        return f"With vLLM:\n\n```bash\n{serve}\n{ask}\n```"

    @property
    def _room(self) -> int:
        """vLLM takes these sizes alone."""
        return next((size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= self.rank), self.rank)

    def ollama(self) -> str:
        """By the `Modelfile` beside the card."""
        from_gguf = " from `model.gguf`" if self.gguf else ""
        name = self.name.lower()
        return f"With Ollama{from_gguf}:\n\n```bash\nollama create {name} -f Modelfile\nollama run {name}\n```"
