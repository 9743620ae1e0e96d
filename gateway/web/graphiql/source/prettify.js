// Stands in for prettier, whose parser of JSON alone is larger than GraphiQL.
import { applyEdits, format as jsonEdits } from "jsonc-parser";
import * as graphql from "prettier/plugins/graphql";
import * as prettier from "prettier/standalone";

export async function format(text, { parser }) {
  if (parser === "graphql") return prettier.format(text, { parser, plugins: [graphql] });
  return applyEdits(text, jsonEdits(text, undefined, { insertSpaces: true, tabSize: 2, eol: "\n" }));
}

export default { format };
