"""Universal data models: one vocabulary for the same thing in many apps."""

from gateway.udm.catalog import MODELS, Models, UniversalDataModel
from gateway.udm.mapping import Translation, UnifiedMapping, translation
from gateway.udm.rules import FieldRule
from gateway.udm.writing import Native

__all__ = ["MODELS", "FieldRule", "Models", "Native", "Translation", "UnifiedMapping", "UniversalDataModel", "translation"]
