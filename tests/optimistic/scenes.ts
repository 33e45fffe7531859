// The scenes of tests/integration/test_optimistic_front_end.py; each prints one JSON.
import { Live, MemoryStore, type Task } from "./live.js";
import { type Answer, type Call, type Entry, type Field, type Screen, type State } from "./optimistic.js";
import { sender, shown, type Step, Tasks, unsent } from "./optimistic.js";

const { API_URL: API, LIVE_URL, TOKEN } = process.env as Record<string, string>;

class Recorder implements Screen {
  log: unknown[] = [];
  kept = "";
  choice: "mine" | "theirs" = "mine";
  changed(state: State) {
    this.kept = JSON.stringify(unsent(state));
    const titles = state.entries.flatMap((entry) => shown(entry)?.title ?? []);
    for (const title of titles.filter((each, n) => titles.indexOf(each) < n)) this.log.push(["twice", title]);
  }
  refused(step: Step, problem: { code: string }) {
    this.log.push(["refused", step.op, problem.code]);
  }
  async choose(field: Field, mine: unknown, theirs: unknown) {
    this.log.push(["choose", field, mine, theirs]);
    return this.choice;
  }
}

const calls: { call: Call; replayed: boolean }[] = [];
const plain = sender(`${API}/api/me`, async () => TOKEN!);
const good = sender(`${LIVE_URL}/api/me`, async () => TOKEN!);
async function send<T>(call: Call): Promise<Answer<T>> {
  const answer = await plain<T>(call);
  calls.push({ call, replayed: answer.replayed });
  return answer;
}

/** A front end; its `live` has a good line. */
function client(choice: "mine" | "theirs" = "mine", screen = new Recorder()) {
  screen.choice = choice;
  const tasks = new Tasks(send, screen, screen.kept ? JSON.parse(screen.kept) : undefined);
  const live = new Live(`${LIVE_URL}/api/me`, async () => TOKEN!, new MemoryStore());
  live.listen(tasks);
  return { screen, tasks, live };
}

async function inStep({ live }: { live: Live }) {
  const { revision } = (await list(good)).body;
  while ((await live.store.place())?.revision !== revision) await new Promise((wake) => later(wake, 5));
}

/** Listens until all is there. */
async function read(one: { live: Live }) {
  void one.live.start();
  await inStep(one);
  await one.live.stop();
}

/** A task whole, but for its owner and moments. */
const told = ({ user_id, created_at, updated_at, completed_at, ...rest }: Task) => rest;
const seen = (entry: Entry) => {
  const task = shown(entry);
  return task && told(task);
};
const all = (tasks: Tasks) => tasks.state.entries.map(seen).flatMap((task) => task ?? []).sort(order);
const place = ({ id }: { id: number }) => (id < 0 ? 1_000_000 - id : id);
const order = (one: { id: number }, other: { id: number }) => place(one) - place(other);
const list = (over = plain) => over<{ tasks: Task[]; revision: number }>({ method: "GET", path: "/tasks?order=asc&limit=1000", headers: {} });
const made = () => calls.map(({ call, replayed }) => [call.method, call.path, replayed]);
const keys = () => calls.map(({ call }) => call.headers["Idempotency-Key"]).filter(Boolean);

/** A day of one user: everything is shown at once, and made once. */
async function day() {
  const { screen, tasks, live } = client();
  const milk = tasks.create({ title: "Buy milk", tags: ["home"] });
  const early = tasks.edit(milk, { description: "Two litres" }); // under the temporary id
  const first = seen(milk);
  await early;
  const done = tasks.edit(milk, { completed: true });
  const toggled = seen(milk);
  await done;
  const rent = tasks.create({ title: "Pay the rent" });
  await tasks.settle(rent);
  const deleted = tasks.delete(rent);
  const gone = seen(rent) ?? null;
  await deleted;
  await tasks.restore(rent);
  const undone = [tasks.delete(rent), tasks.restore(rent)]; // Undo before the answer
  await Promise.all(undone);
  const refused = tasks.edit(rent, { title: "" });
  const wrong = seen(rent)!.title;
  await refused;
  const nothing = tasks.create({ title: " " });
  await tasks.settle(nothing);
  const shownFirst = all(tasks);
  await read({ live });
  const same = JSON.stringify(all(tasks)) === JSON.stringify(shownFirst);
  return {
    first, toggled, gone, wrong, shown: all(tasks), same, log: screen.log, calls: made(), keys: new Set(keys()).size,
  };
}

/** Two tabs edit one task. */
async function conflict() {
  const [mine, theirs] = [client("mine"), client("theirs")];
  const task = mine.tasks.create({ title: "Milk" });
  await mine.tasks.settle(task);
  await read(theirs);
  const same = theirs.tasks.state.entries[0]!;
  await theirs.tasks.edit(same, { description: "Theirs", priority: "high" });
  await Promise.all([
    mine.tasks.edit(task, { title: "My milk" }), // only mine
    mine.tasks.edit(task, { description: "Mine" }), // both: the user says mine
  ]);
  const merged = seen(task);
  await theirs.tasks.edit(same, { description: "Theirs again", completed: true }); // both: the user says theirs
  await read(mine);
  await mine.tasks.edit(task, { tags: ["a"] });
  await theirs.tasks.edit(same, { tags: ["a"] }); // the same: nothing to ask
  return {
    merged, mine: all(mine.tasks), theirs: all(theirs.tasks),
    logs: [mine.screen.log, theirs.screen.log], keys: keys().length - new Set(keys()).size,
  };
}

/** What another tab changes meanwhile comes over the stream, while this tab has steps that wait. */
async function overlaid() {
  const [mine, theirs] = [client("mine"), client("theirs")];
  const [milk, bread] = ["Milk", "Bread"].map((title) => mine.tasks.create({ title }));
  await mine.tasks.settle(bread!);
  await read(theirs);
  void mine.live.start();
  while (mine.live.state !== "live") await new Promise((wake) => later(wake, 5));
  mine.tasks.online = false;
  await mine.tasks.edit(milk!, { description: "Mine", completed: true });
  const [same, other] = theirs.tasks.state.entries;
  await theirs.tasks.edit(same!, { description: "Theirs", priority: "high" });
  await theirs.tasks.edit(other!, { description: "Theirs" });
  await inStep(mine);
  const before = all(mine.tasks);
  await mine.live.stop();
  void mine.live.start(); // the line is back: what waits is sent
  while (milk!.steps.length) await new Promise((wake) => later(wake, 5));
  await mine.live.stop();
  return { before, shown: all(mine.tasks), log: mine.screen.log };
}

/** A train without a line, a reload, and a line again. */
async function offline() {
  const { screen, tasks } = client();
  const [old, stale, left, doomed] = ["Old", "Stale", "Left", "Doomed"].map((title) => tasks.create({ title }));
  await Promise.all(tasks.state.entries.map((entry) => tasks.settle(entry)));
  const other = client();
  await read(other);
  const [, theirs, , lost] = other.tasks.state.entries;
  tasks.online = false;
  const fresh = tasks.create({ title: "Fresh" });
  await tasks.edit(fresh, { description: "of the train" });
  await tasks.edit(old!, { title: "Older" });
  await tasks.edit(old!, { completed: true });
  await tasks.edit(stale!, { title: "Mine" });
  await tasks.edit(doomed!, { title: "Never" });
  await tasks.delete(left!);
  const whim = tasks.create({ title: "A whim" });
  await tasks.delete(whim);
  const wrong = tasks.create({ title: "x".repeat(201) });
  await tasks.settle(wrong);
  const before = all(tasks);
  await other.tasks.edit(theirs!, { description: "Theirs" });
  await other.tasks.delete(lost!);
  calls.length = 0;
  const reloaded = client("mine", screen);
  await reloaded.tasks.flush();
  await read(reloaded);
  const steps = reloaded.tasks.state.entries.flatMap((entry) => entry.steps);
  return { before, shown: all(reloaded.tasks), log: screen.log, calls: made(), left: steps };
}

/** Many tasks at once, on whatever line there is, until all is done. */
async function crowd() {
  const { screen, tasks } = client();
  tasks.online = false;
  for (let n = 0; n < 105; n++) tasks.create({ title: `Task ${n}` });
  await tasks.flush();
  const some = tasks.state.entries.slice(0, 4);
  await Promise.all(some.flatMap((entry, n) => [tasks.edit(entry, { description: `${n}` }), tasks.edit(entry, { completed: true })]));
  await Promise.all(some.slice(0, 1).map((entry) => tasks.delete(entry)));
  return { calls: made().slice(0, 2), shown: all(tasks), log: screen.log };
}

/** The line dies for longer than anybody waits, after the server has made what was sent; the page is closed. */
async function tunnel() {
  const { screen, tasks } = client();
  tasks.online = false;
  const [milk] = [tasks.create({ title: "Milk" }), tasks.create({ title: "Bread" })];
  await tasks.flush();
  const known = [tasks.online, tasks.state.bulk !== undefined];
  await tasks.edit(milk!, { completed: true });
  const before = all(tasks);
  const next = client("mine", screen);
  await read(next); // the list has what was made: it is shown once
  const after = all(next.tasks);
  await next.tasks.flush();
  return { known, before, after, shown: all(next.tasks), calls: made(), log: screen.log };
}

/** The same, and somebody else finds what was made, and changes it. */
async function renamed() {
  const { screen, tasks } = client();
  const milk = tasks.create({ title: "Milk" });
  await tasks.settle(milk);
  const [made] = (await list(good)).body.tasks;
  await good({ method: "PATCH", path: `/tasks/${made!.id}`, headers: {}, body: { title: "Oat milk" } });
  const next = client("mine", screen);
  await read(next);
  const before = all(next.tasks);
  const twin = next.tasks.state.entries.find(({ id }) => id > 0)!;
  void next.tasks.edit(twin, { completed: true });
  await next.tasks.flush();
  await read(next);
  return { before, shown: all(next.tasks), log: screen.log };
}

/** Two clients who listen, at the same time. */
async function together() {
  const clients = [client(), client()];
  for (const { live } of clients) void live.start();
  await Promise.all(clients.map(inStep));
  for (let n = 0; n < 10; n++) {
    const [mine, theirs] = n % 2 ? clients : [...clients].reverse();
    const fresh = mine!.tasks.create({ title: `Task ${n}` });
    await Promise.all([mine!.tasks.edit(fresh, { description: `of ${n}` }), mine!.tasks.settle(fresh)]);
    await inStep(theirs!);
    const seen = theirs!.tasks.state.entries.find(({ id }) => id === fresh.id)!;
    await (n % 3 ? theirs!.tasks.edit(seen, { completed: true }) : theirs!.tasks.delete(seen));
  }
  await Promise.all(clients.map(inStep));
  const { revision } = await clients[0]!.tasks.undo(clients[0]!.tasks.state.entries.find(({ gone }) => !gone)!.base.revision);
  await Promise.all(clients.map(inStep));
  const undone = all(clients[1]!.tasks).filter(({ completed }) => !completed).length;
  await clients[1]!.tasks.undo(revision);
  await Promise.all(clients.map(inStep));
  const last = clients[0]!.tasks.state.entries.find(({ gone }) => !gone)!;
  await clients[0]!.tasks.delete(last);
  await clients[0]!.tasks.undo(last.base.revision); // that of the deletion
  await Promise.all(clients.map(inStep));
  for (const { live } of clients) await live.stop();
  return { shown: clients.map(({ tasks }) => all(tasks)), log: clients.map(({ screen }) => screen.log), undone };
}

/** What the server says when it cannot say yes, from a script; the keys and the waits. */
async function answers() {
  const problem = (status: number, code: string, after?: string) =>
    new Response(JSON.stringify({ status, code, detail: code }), {
      status, headers: { "Content-Type": "application/problem+json", ...(after && { "Retry-After": after }) },
    });
  const script = [
    () => problem(503, "outcome_unknown", "1"),
    () => problem(409, "idempotency_key_in_progress", "1"),
    () => problem(429, "too_many_requests", "1"),
    () => problem(401, "token_expired"),
    () => new Response("<h1>Bad gateway</h1>", { status: 502 }),
    () => new Response("{}", { headers: { ETag: '"e"', "Idempotency-Replayed": "true" } }),
    () => problem(409, "another"),
    () => problem(401, "token_expired"),
    () => problem(401, "token_revoked"),
  ];
  const sent: unknown[] = [];
  const tokens: boolean[] = [];
  const [live, begun] = [globalThis.fetch, Date.now()];
  globalThis.fetch = async (_, init) => (sent.push(new Headers(init!.headers).get("Idempotency-Key")), script.shift()!());
  const scripted = sender("http://x", async (renew) => (tokens.push(renew), "t"));
  const call = (key: string): Call => ({ method: "POST", path: "/tasks", headers: { "Idempotency-Key": key }, body: {} });
  const ends: unknown[] = [];
  ends.push(await scripted(call("a")));
  const waited = Date.now() - begun >= 3000;
  for (const key of ["b", "c"]) await scripted(call(key)).catch((error: Error) => ends.push(error.constructor.name));
  globalThis.fetch = live;
  return { sent, tokens, ends, waited, rest: script.length };
}

const later = globalThis.setTimeout;
// The page's own pauses have no further arguments; those of fetch itself do, and stay as they are.
const sooner = (run: () => void, ms: number, ...rest: unknown[]) =>
  rest.length ? later(run, ms, ...rest) : later(run, ms / 10);
if (process.argv[2] !== "answers") globalThis.setTimeout = sooner as typeof setTimeout; // there the waits are measured

const scenes: Record<string, () => Promise<object>> = {
  day, conflict, overlaid, offline, crowd, tunnel, renamed, together, answers,
};
const scene = await scenes[process.argv[2]!]!();
const { body } = process.argv[2] === "answers" ? { body: { tasks: [] } } : await list();
console.log(JSON.stringify({ ...scene, list: body.tasks.map(told) }));
