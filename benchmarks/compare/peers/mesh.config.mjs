// How Hive Gateway's schema is made of the app's OpenAPI document.
import { defineConfig } from '@graphql-mesh/compose-cli';
import { loadOpenAPISubgraph } from '@omnigraph/openapi';

export const composeConfig = defineConfig({
  subgraphs: [{ sourceHandler: loadOpenAPISubgraph('app', { source: process.env.APP_DESCRIPTION, endpoint: process.env.APP }) }],
});
