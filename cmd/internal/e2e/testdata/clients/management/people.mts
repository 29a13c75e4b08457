// Registers a person by the management API, finds and renames them, with types that are made from the API's own
// description: tsc refuses what the API would. Arguments: the issuer and an API key.
import createClient from "openapi-fetch";
import type { components, paths } from "./wicket.js";

declare const process: { argv: string[] };

const [issuer, key] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl: `${issuer}/api/v1`, headers: { Authorization: `Bearer ${key}` } });

const made = await api.POST("/users", { body: { username: "typed", name: "Typed Person" } });
if (made.error) throw new Error(made.error.code);
const person: components["schemas"]["User"] = made.data;

const found = await api.GET("/users", { params: { query: { q: "typ", limit: 10 } } });
const shown = await api.GET("/users/{id}", { params: { path: { id: person.id } } });
const rename = (name: string) =>
  api.PATCH("/users/{id}", {
    params: { path: { id: person.id }, header: { "If-Match": shown.response.headers.get("ETag") ?? "" } },
    body: { name },
  });
const renamed = await rename("Renamed");
const stale = await rename("Renamed again");
console.log(
  JSON.stringify({ found: found.data?.items.map((p) => p.username), name: renamed.data?.name, stale: stale.error?.code }),
);
