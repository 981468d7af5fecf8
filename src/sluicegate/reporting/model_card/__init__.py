"""The card of a model that is given away: where it comes from, what it learnt from, and what it was measured to do."""

from __future__ import annotations

from sluicegate.reporting.model_card.bundle import Bundle
from sluicegate.reporting.model_card.card import model_card
from sluicegate.reporting.model_card.history import history_of
from sluicegate.reporting.model_card.result import result_of
from sluicegate.reporting.model_card.usage import Usage

__all__ = ["Bundle", "Usage", "history_of", "model_card", "result_of"]
