"""What can stop a step of the training, as a sentence a person can act on."""

from app.compose.sentence import ExplainedError


class TrainingError(ExplainedError):
    """A recipe, a corpus, a base or a machine does not allow a step; nothing half-written is left under its name."""
