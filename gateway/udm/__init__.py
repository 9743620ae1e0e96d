"""Universal data models: one vocabulary for the same thing in many apps."""

from gateway.udm.loading import MODELS, load_models
from gateway.udm.mapping import Translation, UnifiedMapping, translation
from gateway.udm.model import Models, UniversalDataModel
from gateway.udm.page_readers import PageReader
from gateway.udm.reading import ModelReader, Picked
from gateway.udm.rules import FieldRule
from gateway.udm.writing import Native

__all__ = [
    "MODELS",
    "FieldRule",
    "ModelReader",
    "Models",
    "Native",
    "PageReader",
    "Picked",
    "Translation",
    "UnifiedMapping",
    "UniversalDataModel",
    "load_models",
    "translation",
]
