"""Use cases, one module an aggregate: plain functions that take the runtime and the principal first."""
