"""Our rows: engines, sessions scoped by principal, statements, migrations and encryption. It never sees HTTP."""
