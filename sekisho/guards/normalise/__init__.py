"""Text normalisation: disguises are undone, and every span leads back to the original text."""

from sekisho.guards.normalise._fold import fold
from sekisho.guards.normalise._text import Budget, Normalised
from sekisho.guards.normalise._variants import shared_views, variants

__all__ = ["Budget", "Normalised", "fold", "shared_views", "variants"]
