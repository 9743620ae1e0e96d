"""A self-hosted GraphQL gateway over the data in other people's apps."""

__version__ = "0.1.0"
