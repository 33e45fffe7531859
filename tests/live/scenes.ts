// The scenes of tests/integration/test_live_updates.py; each prints one JSON.
import { createHmac, randomUUID } from "node:crypto";
import {
  type Change,
  EventParser,
  type Listener,
  Live,
  type LiveState,
  MemoryStore,
  type Task,
  type TaskChange,
} from "./live.js";

const { API_URL, LINE_URL, SECRET, SUBJECT, SEED, TIMES, MASTER } = process.env as Record<string, string>;
const [API, LINE] = [`${API_URL}/api/me`, `${LINE_URL}/api/me`];

const base64url = (text: string | Buffer) => Buffer.from(text).toString("base64url");

/** A token of the user that is good for some seconds. */
function tokenFor(seconds: number): string {
  const claims = { sub: SUBJECT, jti: randomUUID(), exp: Math.floor(Date.now() / 1000) + seconds };
  const text = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => base64url(JSON.stringify(part))).join(".");
  return `${text}.${base64url(createHmac("sha256", SECRET!).update(text).digest())}`;
}

/** What a screen shows that knows nothing but what it is told. */
class Screen implements Listener {
  shown = new Map<number, Task>();
  revisions: number[] = []; // since the last load
  loads = 0;
  states: string[] = [];
  loaded(tasks: Task[]) {
    this.shown = new Map(tasks.map((task) => [task.id, task]));
    [this.revisions, this.loads] = [[], this.loads + 1];
  }
  changed(changes: TaskChange[]) {
    for (const { id, data, revision } of changes) {
      this.revisions.push(revision);
      if (data) this.shown.set(id, data);
      else this.shown.delete(id);
    }
  }
  became(state: LiveState, why?: { code: string }) {
    this.states.push(why ? `${state}: ${why.code}` : state);
  }
}

/** Pauses are a tenth of these; what is as slow as a busy machine may be gets its time. */
const QUICK = { first: 300_000, dead: 600_000, longest: 5_000, poll: 500, again: 1_000, ...JSON.parse(TIMES ?? "{}") };

function reader(store = new MemoryStore(), seconds = [3600]) {
  const renewals: boolean[] = [];
  let token = "";
  const live = new Live(LINE, async (renew) => {
    renewals.push(renew);
    if (renew || !token) token = tokenFor(seconds.length > 1 ? seconds.shift()! : seconds[0]!);
    return token;
  }, store, QUICK);
  const screen = new Screen();
  live.listen(screen);
  return { live, store, screen, renewals };
}

/** The other client. */
async function write(method: string, path: string, body?: unknown) {
  const headers = { Authorization: `Bearer ${tokenFor(3600)}`, "Content-Type": "application/json" };
  const response = await fetch(API + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}
const create = async (title: string): Promise<Task> => write("POST", "/tasks", { title });

async function createMany(many: number) {
  const operations = Array.from({ length: 100 }, (_, n) => ({ op: "create", data: { title: `One of many ${n}` } }));
  for (let n = 0; n < many; n += 100) await write("POST", "/tasks/bulk", { operations });
}

const byId = (tasks: Iterable<Task>) => [...tasks].sort((one, other) => one.id - other.id);
/** What the API has. */
async function list(): Promise<{ tasks: Task[]; revision: number }> {
  const first = await write("GET", "/tasks?order=asc&limit=1000");
  for (let page = first; page.next_cursor; first.tasks.push(...page.tasks))
    page = await write("GET", `/tasks?order=asc&limit=1000&cursor=${encodeURIComponent(page.next_cursor)}`);
  return first;
}

async function until(done: () => boolean | Promise<boolean>) {
  while (!(await done())) await new Promise((wake) => later(wake, 5));
}

type Reader = ReturnType<typeof reader>;

/** Waits for the place behind the last change. */
async function inStep({ store }: Reader) {
  const { revision } = await list();
  await until(async () => (await store.place())?.revision === revision);
}

/** What the reader has, beside what the API has. */
async function end({ live, store, screen }: Reader) {
  await live.stop();
  const { tasks } = await list();
  const ascending = screen.revisions.every((revision, n) => !n || revision > screen.revisions[n - 1]!);
  return {
    stored: same(byId(await store.all()), tasks),
    shown: same(byId(screen.shown.values()), tasks),
    ascending,
    loads: screen.loads,
    tasks: tasks.length,
  };
}
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Numbers from 0 to 1 that are the same for the same seed. */
function numbers(seed: number) {
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Changes of all kinds: by one, by bulk, by list, by undo. */
async function work(many: number, random: () => number) {
  const any = <T>(from: T[]): T | undefined => from[Math.floor(random() * from.length)];
  for (let n = 0; n < many; n++) {
    const { tasks } = await list();
    const task = any(tasks);
    const kind = task ? Math.floor(random() * 10) : 0;
    if (kind < 3) await create(`Task ${n} 🦔`);
    else if (kind < 6) await write("PATCH", `/tasks/${task!.id}`, { title: `Changed ${n}`, completed: n % 2 === 0 });
    else if (kind === 6) await write("DELETE", `/tasks/${task!.id}`);
    else if (kind === 7) await write("DELETE", `/tasks/${task!.id}`).then(() => write("POST", `/trash/${task!.id}/restore`));
    else if (kind === 8) await write("POST", "/undo", { revision: task!.revision }).catch(() => {});
    else await write("POST", "/tasks/bulk", { operations: bulkOf(n, tasks.slice(0, 5)) });
    await new Promise((wake) => later(wake, random() * 40));
  }
}
function bulkOf(n: number, [first, ...rest]: Task[]) {
  return [
    ...[1, 2, 3].map((each) => ({ op: "create", data: { title: `Bulk ${n}.${each}`, description: "x".repeat(50) } })),
    ...(first ? [{ op: "delete", id: first.id }] : []),
    ...rest.map(({ id }) => ({ op: "update", id, data: { description: `of ${n}` } })),
  ];
}

/** One client works, the other's line is what the test made of it. */
async function follow() {
  const random = numbers(Number(SEED));
  await work(5, random);
  const one = reader();
  void one.live.start();
  await until(() => one.screen.loads > 0);
  await work(30, random);
  await inStep(one);
  return { ...(await end(one)), states: [...new Set(one.screen.states)].sort() };
}

/** A page that is closed and opened again, with what it has kept. */
async function reopened() {
  const store = new MemoryStore();
  const loads = [];
  await create("Before");
  for (const title of ["One", "Two", "Three"]) {
    const one = reader(store);
    void one.live.start();
    await until(() => one.screen.states.includes("live"));
    await create(title);
    await inStep(one);
    await one.live.stop();
    await create(`${title}, while nobody listens`);
    loads.push([one.screen.loads, one.screen.revisions.length]);
  }
  const last = reader(store);
  void last.live.start();
  await inStep(last);
  return { ...(await end(last)), before: loads, told: last.screen.revisions };
}

/** The token runs out while the stream is open. */
async function expiry() {
  const one = reader(new MemoryStore(), [5, 3600]);
  void one.live.start();
  await until(() => one.screen.states.includes("live"));
  await create("Before");
  await until(() => one.renewals.includes(true));
  await create("After");
  await inStep(one);
  return { ...(await end(one)), renewals: one.renewals, states: one.screen.states };
}

/** The log goes on for longer than it is kept, while nobody listens. */
async function reset() {
  const store = new MemoryStore();
  const first = reader(store);
  void first.live.start();
  await until(() => first.screen.states.includes("live"));
  await create("Known");
  await inStep(first);
  await first.live.stop();
  await createMany(1_100);
  const one = reader(store);
  void one.live.start();
  await until(() => one.screen.loads === 2);
  await create("After");
  await inStep(one);
  return { ...(await end(one)), states: one.screen.states, told: one.screen.revisions.length };
}

/** A store that says it is in another database. */
async function foreign() {
  const store = new MemoryStore();
  await create("Mine");
  const { revision } = await list();
  await store.replace([], { token: process.env["FOREIGN"]!, revision });
  const one = reader(store);
  void one.live.start();
  await until(() => one.screen.loads === 2);
  await inStep(one);
  return { ...(await end(one)), states: one.screen.states };
}

/** Others have all the streams of the user; then they leave. */
async function crowd() {
  const headers = { Authorization: `Bearer ${tokenFor(3600)}` };
  const others = await Promise.all(Array.from({ length: 10 }, () => fetch(`${API}/events`, { headers })));
  const one = reader();
  void one.live.start();
  await until(() => one.screen.states.length > 0);
  await create("Polled");
  await inStep(one);
  for (const { body } of others) await body!.cancel();
  if (process.env["WAKE"]) one.live.wake();
  await until(() => one.live.state === "live");
  await create("Live");
  await inStep(one);
  return { ...(await end(one)), states: one.screen.states };
}

/** The line lets nothing of a stream through. */
async function held() {
  const one = reader();
  void one.live.start();
  await until(() => one.screen.states.length > 0);
  await create("Polled");
  await inStep(one);
  return { ...(await end(one)), states: one.screen.states };
}

/** The server's processes are replaced. */
async function restarted() {
  const one = reader();
  const whole = globalThis.fetch;
  let streams = 0;
  globalThis.fetch = async (input, init) => {
    const response = await whole(input, init);
    if (String(input).endsWith("/events") && response.ok) streams++;
    return response;
  };
  void one.live.start();
  await until(() => one.screen.states.includes("live"));
  await create("Before");
  process.kill(Number(MASTER), "SIGHUP");
  await until(() => streams > 1);
  await create("After");
  await inStep(one);
  return { ...(await end(one)), told: one.screen.revisions };
}

/** The disk is full for a while, and one of the listeners throws. */
async function failing() {
  let failures = 0;
  class Full extends MemoryStore {
    override async apply(changes: Change[], token: string) {
      if (changes.length && failures++ < 2) throw new DOMException("full", "QuotaExceededError");
      return super.apply(changes, token);
    }
  }
  let thrown = 0;
  process.on("uncaughtException", () => thrown++);
  const one = reader(new Full());
  one.live.listen({ changed: () => { throw new Error("a fault of the page"); } });
  const other = new Screen();
  one.live.listen(other);
  void one.live.start();
  await until(() => one.live.state === "live");
  await create("Kept in the end");
  await inStep(one);
  const { states, revisions } = one.screen;
  return { ...(await end(one)), thrown, states, told: [revisions, other.revisions] };
}

/** The list has more than one page, and changes between the pages. */
async function pages() {
  await createMany(1_100);
  const one = reader();
  const whole = globalThis.fetch;
  let loads = 0;
  globalThis.fetch = async (input, init) => {
    const response = await whole(input, init);
    if (String(input).includes("limit=1000&total=false") && !loads++) {
      globalThis.fetch = whole;
      await write("DELETE", "/tasks/1050");
      await write("PATCH", "/tasks/1060", { title: "Changed" });
      await write("DELETE", "/tasks/1");
      await create("New");
    }
    return response;
  };
  void one.live.start();
  await until(() => one.screen.loads > 0);
  await inStep(one);
  return { ...(await end(one)), told: one.screen.revisions };
}

/** Changes that come again, and late; none needs a server. */
async function again() {
  const put = (id: number, revision: number) => ({ kind: "task", id, op: "put", revision, at: "", data: { id, revision } });
  const gone = (id: number, revision: number) => ({ kind: "task", id, op: "delete", revision, at: "", data: null });
  const store = new MemoryStore();
  await store.replace([{ id: 3, revision: 9 } as Task], { token: "a", revision: 4 });
  const told: unknown[] = [];
  const apply = async (token: string, ...changes: object[]) => {
    const news = await store.apply(changes as Change[], token);
    told.push([news.map(({ revision }) => revision), (await store.all()).map(({ id }) => id), await store.place()]);
  };
  await apply("b", put(5, 5), put(6, 6), gone(5, 7), put(3, 8));
  await apply("c", put(5, 5), put(6, 6), gone(5, 7)); // again
  await apply("d", put(3, 9), { ...put(7, 10), kind: "list" }, { ...put(8, 11), op: "patch" }); // of a later server
  await apply("e");
  await apply("f", gone(3, 12), gone(4, 13));
  return told;
}

/** Nobody answers; none needs a server. */
async function nobody() {
  const { live, screen } = reader();
  const before = live.state;
  void live.start();
  await until(() => screen.states.length > 0);
  return { before, told: screen.states, tasks: screen.loads };
}

/** Every stream of TEXTS, cut at every byte; none needs a server. */
async function parser() {
  const texts = JSON.parse(process.env["TEXTS"]!) as string[];
  return texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    const read = (...parts: Uint8Array[]) => {
      const parser = new EventParser();
      const events = parts.flatMap((part) => parser.feed(part));
      return { events, retry: parser.retry };
    };
    const whole = read(bytes);
    const cuts = [...bytes.keys()].map((n) => read(bytes.slice(0, n), bytes.slice(n)));
    cuts.push(read(...[...bytes].map((byte) => Uint8Array.of(byte))));
    return { ...whole, alike: cuts.every((cut) => same(cut, whole)) };
  });
}

const later = globalThis.setTimeout;
// The client's own pauses have no further arguments; those of fetch itself do, and stay as they are.
const sooner = (run: () => void, ms: number, ...rest: unknown[]) =>
  rest.length ? later(run, ms, ...rest) : later(run, ms / 10);
globalThis.setTimeout = sooner as typeof setTimeout;

const scenes: Record<string, () => Promise<unknown>> = {
  follow, reopened, expiry, reset, foreign, crowd, held, restarted, failing, pages, again, nobody, parser,
};
console.log(JSON.stringify(await scenes[process.argv[2]!]!()));
process.exit(); // streams that a scene left open
