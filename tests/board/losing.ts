// A line that loses the first answer of every change, and what plays a scene on it.
import { todoClient } from "./client.js";

export const { API_URL: API, TOKEN } = process.env as Record<string, string>;
export const me = { user_id: "me" };

// Every change is made, and its first answer is lost.
const [line, attempts] = [globalThis.fetch, new Map<string, number>()];
globalThis.fetch = async (input, init) => {
  const answer = await line(input, init);
  const key = input instanceof Request ? input.headers.get("Idempotency-Key") : null;
  if (key) attempts.set(key, (attempts.get(key) ?? 0) + 1);
  if (key && attempts.get(key) === 1) throw new TypeError("fetch failed");
  return answer;
};

/** Waits as long as it says; `setTimeout` waits a hundredth, so that repeats are quick. */
export const later = globalThis.setTimeout;
globalThis.setTimeout = ((run: () => void, ms: number, ...rest: unknown[]) =>
  later(run, rest.length ? ms : ms / 100, ...rest)) as typeof setTimeout;

export const api = todoClient(API!, async () => TOKEN!);

/** Plays the scene that the command names, and prints one JSON. */
export async function play(scenes: Record<string, () => Promise<object>>): Promise<void> {
  console.log(JSON.stringify(await scenes[process.argv[2]!]!()));
}
