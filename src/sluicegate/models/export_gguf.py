"""GGUF, which llama.cpp and Ollama read, by llama.cpp's own converter."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sluicegate.errors import MissingError, SluiceError
from sluicegate.runtime import say

CONVERTER = "convert_hf_to_gguf.py"
GGUF = "model.gguf"
GET_IT = (
    "git clone https://github.com/ggml-org/llama.cpp && pip install -r llama.cpp/requirements.txt"
    ' && export PATH="$PATH:$PWD/llama.cpp"'
)
TYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}


def find_converter() -> Path:
    """The converter on the path.

    Raises:
        MissingError: it is not there.
    """
    found = shutil.which(CONVERTER)
    if found is None:
        raise MissingError(f"gguf: {CONVERTER} is not on the PATH", f"get it with: {GET_IT}")
    return Path(found)


def convert(converter: Path, folder: Path, name: str, dtype: str) -> None:
    """Write `model.gguf` into a model's folder, in the dtype its weights are saved in.

    Raises:
        SluiceError: the converter failed, as it does with an architecture it does not know.
    """
    say(f"  {CONVERTER}: {name} in {dtype}")
    out = folder / GGUF
    command = [str(converter), str(folder), "--outfile", str(out), "--outtype", TYPES[dtype], "--model-name", name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not out.is_file():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SluiceError(f"{CONVERTER} failed: {last}", "export without gguf, or convert the bundle by hand")
