"""The types of the schema, one module an aggregate. Their `description` is their documentation, for clients and for us."""
