"""The steps that bring a database to this version's schema, alike on SQLite and PostgreSQL."""
