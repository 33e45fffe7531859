// The API, typed by its own contract: `npm run generate` writes ./api.d.ts from /openapi.json.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type Task = components["schemas"]["Task"];
/** Name the type where a task is made: TypeScript then refuses unknown fields, as the API does. */
export type NewTask = components["schemas"]["TaskCreate"];
export type Problem = components["schemas"]["Problem"];

/** Gives the JWT of the signed-in user, for example `(await authClient.token()).data.token`. */
export type TokenProvider = () => Promise<string>;

/** An error of the API. `code` is for programs, `message` for people. */
export class ApiError extends Error {
  /** `afterMs`: how long the server asks to wait before a repeat; 0 where it does not. */
  constructor(readonly problem: Problem, readonly afterMs = 0) {
    super(problem.detail);
  }
  get code(): string {
    return this.problem.code;
  }
}

/** A client that sends the user's token with every call, and throws every problem. */
export function todoClient(baseUrl: string, token: TokenProvider) {
  const client = createClient<paths>({ baseUrl });
  const bearer: Middleware = {
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await token()}`);
      return request;
    },
    async onResponse({ response }) {
      if (response.ok) return;
      const type = response.headers.get("Content-Type") ?? "";
      const afterMs = 1000 * Number(response.headers.get("Retry-After"));
      if (type.startsWith("application/problem+json")) throw new ApiError((await response.json()) as Problem, afterMs);
      throw new Error(`HTTP ${response.status}, and not from the API: ${type || "no Content-Type"}`);
    },
  };
  client.use(bearer);
  return client;
}
