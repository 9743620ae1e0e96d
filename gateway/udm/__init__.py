"""Universal data models: one vocabulary for the same thing in many apps."""

from gateway.udm.catalog import MODELS, Models, UniversalDataModel
from gateway.udm.mapping import FieldRule, Native, Translation, UnifiedMapping

__all__ = ["MODELS", "FieldRule", "Models", "Native", "Translation", "UnifiedMapping", "UniversalDataModel"]
