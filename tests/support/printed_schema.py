"""The schema as clients get to know it: printed, and read again."""

from graphql import GraphQLSchema, build_schema

from gateway.graphql import print_schema

SDL = print_schema()
PRINTED: GraphQLSchema = build_schema(SDL)
