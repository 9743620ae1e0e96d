"""The connector format, version 1: what a connector file may say, as pydantic models."""
