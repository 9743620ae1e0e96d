"""Universal data models: one vocabulary for the same thing in many apps."""

from gateway.udm.catalog import MODELS, UniversalDataModel

__all__ = ["MODELS", "UniversalDataModel"]
