"""Sluicegate: which of my post-training data is worth training on, and then the training itself.

Raw files become `messages`, a frozen model's gates turn messages into `scores`, a rule turns scores
into a `selection`, and the selection trains a `model` that an `evaluation` judges and a `report`
shows. Every arrow is a stage, every noun a sealed folder. Importing the package makes `AutoModelForCausalLM`
open the folders `sluice convert` writes, gates and all; it imports nothing heavy. Layers, high to low; a
module imports only from layers below its own, and names joined by `|` do not know each other:

    cli : testing > verbs > pipeline > planning | reference > bake_off | search > stages
      > training | evaluation | scoring | selection | reporting > models | data > artifacts
      > peers : runtime : registry : config > schema > errors | auto_classes | progress_lines
"""

from sluicegate.auto_classes import introduce

__version__ = "0.1.0"

introduce()
