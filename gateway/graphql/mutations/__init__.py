"""The mutations of the schema, one module an aggregate: each reads its input, calls one service, and wraps what it gives."""
