// Who is logged in, in all tabs of this browser: an account of this server's own, and its token.
export const API = new URL("../api", import.meta.url).pathname; // behind a proxy, a prefix stands before it
const KEY = "todo-demo:session";
const EARLY_MS = 10 * 60_000; // so long before its end a token is renewed

const read = () => JSON.parse(localStorage.getItem(KEY) ?? "null");

function keep({ user, token, expires_in }) {
  localStorage.setItem(KEY, JSON.stringify({ user, token, until: Date.now() + expires_in * 1000 }));
  return token;
}

/** The user; undefined when nobody is logged in. */
export const user = () => read()?.user;

/** `how` is "login" or "register". Throws what the API says, as a sentence. */
export async function enter(how, email, password) {
  keep(await post(how, { body: JSON.stringify({ email, password }) }));
}

export const leave = () => localStorage.removeItem(KEY);

/** Calls back when another tab logs in or out, and when the session has ended. */
export function onChange(told) {
  ended = told;
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && told());
}

/** A token that is good for a while; `renew` asks for a new one in any case. */
export async function token(renew = false) {
  const session = read();
  if (!session) throw new Error("Nobody is logged in.");
  const left = session.until - Date.now();
  if (!renew && left > EARLY_MS) return session.token;
  renewing ??= renewed(session).finally(() => (renewing = undefined));
  return renew || left <= 0 ? renewing : renewing.catch(() => session.token);
}

let ended = () => {};
let renewing; // one request for all who wait for it

async function renewed(session) {
  try {
    return keep(await post("renew", { headers: { Authorization: `Bearer ${session.token}` } }));
  } catch (error) {
    if (error.status === 401 || error.status === 403) {
      leave();
      ended();
    }
    throw error;
  }
}

async function post(what, { body, headers = {} }) {
  const json = body ? { "Content-Type": "application/json" } : {};
  const signal = AbortSignal.timeout(30_000);
  const answer = await fetch(`${API}/auth/${what}`, { method: "POST", body, headers: { ...json, ...headers }, signal });
  const said = await answer.json();
  if (answer.ok) return said;
  const places = (said.errors ?? []).map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`);
  throw Object.assign(new Error(places.length ? `${places.join(", ")}.` : said.detail), { status: answer.status });
}
