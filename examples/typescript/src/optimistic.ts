// An optimistic front end on `fetch`; docs/optimistic-front-end.md has this file in parts, and why.
import type { components } from "./api.js";
import type { Listener, LiveState, Problem, Task, TaskChange } from "./live.js";

type Schemas = components["schemas"];
const FIELDS = ["title", "description", "completed", "priority", "due_date", "tags"] as const;
export type Field = (typeof FIELDS)[number];
export type Edit = Partial<Pick<Task, Field>>;
export type Draft = Edit & Pick<Task, "title">;

/** A call as it is kept until it is answered: its headers have the key, and If-Match. */
export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** A change is given its key here, once. */
function change(method: Call["method"], path: string, body?: unknown, etag?: string): Call {
  const key = { "Idempotency-Key": crypto.randomUUID() };
  return { method, path, headers: etag ? { ...key, "If-Match": etag } : key, body };
}

const ATTEMPTS = 6;
const PATIENCE_MS = 30_000;
const AGAIN = [408, 429, 502, 503, 504, 507]; // and 409, but only while the first is still running

/** `replayed`: it was made by an earlier attempt, and may have been changed by others since. */
export interface Answer<T> {
  body: T;
  etag: string | undefined;
  revision: number | undefined; // of a deletion; all else has it in its body
  replayed: boolean;
}

/** The API said no: asking again does not help. */
export class Refused extends Error {
  constructor(readonly problem: Problem, readonly etag: string | undefined) {
    super(problem.detail);
  }
}

/** Nobody knows whether it was made. Keep the call, and send the very same one later. */
export class Unanswered extends Error {}

export type Send = <T>(call: Call) => Promise<Answer<T>>;

/** `token(true)` must get a new one: the last was refused. */
export function sender(base: string, token: (renew: boolean) => Promise<string>): Send {
  return async <T>(call: Call) => {
    let denied = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await ask(base + call.path, call, () => token(denied));
      if (answer && answer.status < 400) return read<T>(answer);
      if (answer?.status === 401 && denied) break; // sign in; the change is not lost
      denied = answer?.status === 401;
      if (denied) continue;
      const refusal = answer && refused(answer);
      const running = refusal?.problem.code === "idempotency_key_in_progress";
      if (refusal && !running && !AGAIN.includes(refusal.problem.status)) throw refusal;
      if (attempt < ATTEMPTS - 1) await pause(Number(answer?.headers.get("Retry-After")), attempt);
    }
    throw new Unanswered(call.path);
  };
}

type Raw = { status: number; headers: Headers; text: string };

/** One attempt; undefined if there is no token, no answer, or only half of one. */
async function ask(url: string, call: Call, token: () => Promise<string>): Promise<Raw | undefined> {
  const json = call.body === undefined ? {} : { "Content-Type": "application/json" };
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const headers = { ...call.headers, ...json, Authorization: `Bearer ${await token()}` };
    const response = await fetch(url, { method: call.method, headers, body, signal });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch {
    return undefined;
  }
}

const tagOf = (raw: Raw) => raw.headers.get("ETag") ?? undefined;

function read<T>(raw: Raw): Answer<T> {
  const body = (raw.text ? JSON.parse(raw.text) : undefined) as T;
  const revision = Number(raw.headers.get("Revision")) || undefined;
  return { body, etag: tagOf(raw), revision, replayed: raw.headers.get("Idempotency-Replayed") === "true" };
}

function refused(raw: Raw): Refused {
  const ours = raw.headers.get("Content-Type")?.startsWith("application/problem+json");
  const foreign = { status: raw.status, code: "foreign", detail: `HTTP ${raw.status}, not of the API` };
  return new Refused((ours ? JSON.parse(raw.text) : foreign) as Problem, tagOf(raw));
}

/** As long as the server asks for, else 0.25, 0.5, 1 ... seconds; never all clients at one moment. */
function pause(asked: number, attempt: number): Promise<void> {
  const seconds = asked > 0 ? asked + Math.random() / 4 : (Math.random() * 2 ** attempt) / 4;
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** What the user wants of a task. It has its call from its first attempt on. */
export interface Step {
  op: "create" | "update" | "delete" | "restore";
  data: Edit;
  call?: Call;
  inBulk?: true;
}

/** A task: as the server had it last, and what is still to be done, in order. */
export interface Entry {
  id: number; // below 0 until the server has given one
  base: Task;
  etag: string | undefined; // lists and bulks have none
  gone: boolean;
  steps: Step[];
}

export interface State {
  entries: Entry[];
  bulk?: Call;
}

/** What must outlive a reload, as JSON. The rest is the server's: the store of live.ts has it. */
export const unsent = (state: State): State => ({ ...state, entries: state.entries.filter(({ steps }) => steps.length) });

export interface Screen {
  /** Show `shown(entry)` of every entry, and store `unsent(state)` before this returns (sessionStorage does). */
  changed(state: State): void;
  /** Say it and, for a create, give the text back; the change is off the screen. */
  refused(step: Step, problem: Problem): void;
  /** Both changed this field. */
  choose<F extends Field>(field: F, mine: Task[F], theirs: Task[F]): Promise<"mine" | "theirs">;
}

/** The task as the user wants it; undefined once deleted. */
export function shown({ base, gone, steps }: Entry): Task | undefined {
  for (const { op } of steps) if (op === "delete" || op === "restore") gone = op === "delete";
  return gone ? undefined : Object.assign({}, base, ...steps.map((step) => step.data));
}

const NEW = { description: null, completed: false, priority: "medium", due_date: null, tags: [] } as const;
const PLACE = { list_id: null, parent_id: null, position: "" };
const SERIES = { occurrence: null, occurrence_number: null, series_id: null, previous_id: null, next_id: null };
const ONCE = { ...SERIES, time_zone: null, recurrence: null, recurrence_text: null };
const TIMES = { completed_at: null, created_at: "", updated_at: "" };
const UNSAVED = { ...PLACE, ...ONCE, ...TIMES, user_id: "", revision: 0 };

export class Tasks implements Listener {
  online: boolean; // addEventListener("offline", ...); live.ts tells when the line is there
  #queue: Promise<void> = Promise.resolve();
  #news = new Map<number, TaskChange>(); // that wait for an answer
  #lastId = 0;

  constructor(readonly send: Send, readonly screen: Screen, readonly state: State = { entries: [] }) {
    this.#lastId = Math.min(0, ...state.entries.map((entry) => entry.id));
    this.online = !unsent(state).entries.length; // what a reload left is sent first, by flush()
  }

  create(draft: Draft): Entry {
    const base: Task = { ...UNSAVED, ...NEW, tags: [], ...draft, id: --this.#lastId };
    const entry: Entry = { id: base.id, base, etag: undefined, gone: false, steps: [] };
    this.state.entries.push(entry);
    void this.#add(entry, "create", draft);
    return entry;
  }

  /** `{ completed: true }` too: a state is set, never turned around. */
  edit = (entry: Entry, data: Edit) => this.#add(entry, "update", data);
  delete = (entry: Entry) => this.#add(entry, "delete"); // whatever it became: the trash has it
  restore = (entry: Entry) => this.#add(entry, "restore"); // the toast's Undo

  #add(entry: Entry, op: Step["op"], data: Edit = {}): Promise<void> {
    entry.steps.push({ op, data });
    this.#changed();
    return this.settle(entry);
  }

  settle = (entry: Entry) => this.#next(() => this.#drain(entry));

  /** One behind the other: the tag at hand is the last one, and what was typed first is made first. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.then(() => {}, () => {});
    return turn;
  }

  async #drain(entry: Entry): Promise<void> {
    for (let step; this.online && (step = entry.steps[0]) && !step.inBulk; this.#changed()) {
      try {
        await this.#make(entry, step);
      } catch (error) {
        if (error instanceof Refused) await this.#refused(entry, step, error);
        else if (error instanceof Unanswered) this.online = false; // kept, with its key, for flush()
        else throw error;
      }
    }
  }

  async #make(entry: Entry, step: Step): Promise<void> {
    if (!step.call && step.op === "update" && !entry.etag) {
      const now = await this.send<Task>({ method: "GET", path: `/tasks/${entry.id}`, headers: {} });
      await this.#rebase(entry, now.body, now.etag);
    }
    step.call ??= callOf(entry, step);
    this.#changed(); // stored before it is sent
    const { body, etag, revision } = await this.send<Task | undefined>(step.call);
    if (revision) entry.base = { ...entry.base, revision };
    this.#done(entry, body, etag);
  }

  #done(entry: Entry, task?: Task, etag?: string): void {
    entry.steps.shift();
    entry.gone = !task;
    if (task) Object.assign(entry, { id: task.id, base: task, etag });
    this.#unite(entry);
  }

  async #refused(entry: Entry, step: Step, { problem, etag }: Refused): Promise<void> {
    delete step.call; // what is sent next is another call, under another key
    if ("current" in problem) return this.#rebase(entry, problem.current as Task, etag);
    entry.gone ||= problem.code === "task_not_found";
    entry.steps.splice(0, step.op === "create" ? Infinity : 1);
    if (step.op === "create") this.state.entries.splice(this.state.entries.indexOf(entry), 1);
    if (!(step.op === "delete" && entry.gone)) this.screen.refused(step, problem);
  }

  /** Mine where only I changed a field, theirs where only they did, and else the user's choice. */
  async #rebase(entry: Entry, current: Task, etag: string | undefined): Promise<void> {
    for (const field of FIELDS) {
      const edits = entry.steps.map((step) => step.data).filter((data) => field in data);
      const [before, mine, theirs] = [entry.base[field], edits.at(-1)?.[field], current[field]];
      if (mine === undefined || same(theirs, before) || same(theirs, mine)) continue;
      if ((await this.screen.choose(field, mine, theirs)) === "mine") continue;
      for (const edit of edits) delete edit[field];
    }
    Object.assign(entry, { base: current, etag });
  }

  /** After a reload, and when the line is back: first what may have been made, by its own key. */
  flush = () => this.#next(async () => {
    this.online = true;
    for (const entry of this.state.entries.filter(({ steps }) => steps[0]?.call)) await this.#drain(entry);
    while (this.online && (this.state.bulk || this.#pack())) await this.#bulk();
    for (const entry of [...this.state.entries]) await this.#drain(entry);
  });

  /** Makes one bulk of what was never sent: each task is in it once. */
  #pack(): boolean {
    const packed = this.state.entries.filter(packable).slice(0, 100);
    if (packed.length < 2) return false;
    const operations = packed.map(fold);
    this.state.bulk = change("POST", "/tasks/bulk", { operations });
    return true;
  }

  async #bulk(): Promise<void> {
    const packed = this.state.entries.filter((entry) => entry.steps[0]?.inBulk);
    this.#changed();
    try {
      const { body } = await this.send<{ results: { task: Task | null }[] }>(this.state.bulk!);
      delete this.state.bulk;
      packed.forEach((entry, n) => this.#done(entry, body.results[n]!.task ?? undefined));
    } catch (error) {
      if (error instanceof Unanswered) this.online = false;
      else if (error instanceof Refused) await this.#unpack(packed, error.problem);
      else throw error;
    }
    this.#changed();
  }

  /** Nothing of a refused bulk was made. What is at fault is sent by itself: merged, or refused. */
  async #unpack(packed: Entry[], { errors = [] }: Problem): Promise<void> {
    delete this.state.bulk;
    for (const { steps } of packed) delete steps[0]!.inBulk;
    const places = errors.map(({ pointer }) => Number(pointer?.split("/")[2])); // /operations/3/if_revision
    const faulty = packed.filter((_, n) => places.includes(n));
    for (const entry of faulty.length ? faulty : packed) await this.#drain(entry);
  }

  /** The list as the server has it: what is not in it is gone. What has steps waits for their answers. */
  loaded(tasks: Task[]): void {
    const listed = new Map(tasks.map((task) => [task.id, task]));
    for (const entry of this.state.entries.filter(({ steps }) => !steps.length)) {
      const task = listed.get(entry.id);
      entry.gone = !task;
      if (task && !same(task, entry.base)) Object.assign(entry, { base: task, etag: undefined });
    }
    this.#news = new Map(tasks.map((data) => [data.id, { ...PUT, id: data.id, revision: data.revision, data }]));
    this.#changed();
  }

  /** What anybody changed, this client too. */
  changed(changes: TaskChange[]): void {
    for (const change of changes) this.#news.set(change.id, change);
    this.#changed();
  }

  /** The line is there. */
  became(state: LiveState): void {
    if ((state === "live" || state === "polling") && !this.online) void this.flush();
  }

  #changed(): void {
    if (this.#news.size) this.#learn();
    this.screen.changed(this.state);
  }

  /** Takes in what is news, unless an answer is on its way that may say the same. */
  #learn(): void {
    const known = new Map(this.state.entries.map((entry) => [entry.id, entry]));
    const sent = this.state.entries.flatMap(({ id, steps: [step] }) => (id < 0 && isSent(step) ? step : []));
    const created = sent.map((step) => step.data.title);
    for (const [id, { revision, data }] of this.#news) {
      const entry = known.get(id);
      if (entry ? entry.steps.length : data && created.includes(data.title)) continue;
      this.#news.delete(id);
      if (!entry && data) this.state.entries.push({ id, base: data, etag: undefined, gone: false, steps: [] });
      if (!entry || revision <= entry.base.revision) continue; // as new as the answer
      entry.gone = !data;
      if (data) Object.assign(entry, { base: data, etag: undefined });
    }
  }

  /** One task is two entries if the list was faster than the answer to the create. The list is newer. */
  #unite(entry: Entry): void {
    const twin = this.state.entries.find((other) => other !== entry && other.id === entry.id);
    if (!twin) return;
    this.state.entries.splice(this.state.entries.indexOf(twin), 1);
    entry.steps.push(...twin.steps.splice(0));
    const { base, etag, gone } = twin;
    if (gone || base.revision > entry.base.revision) Object.assign(entry, { base, etag, gone });
  }

  /** Takes back what was made under a revision; the `revision` of the answer takes that back. */
  undo = (revision: number) =>
    this.#next(async () => (await this.send<Schemas["Undone"]>(change("POST", "/undo", { revision }))).body);
}

const PUT = { kind: "task", op: "put", at: "" } as const;
const isSent = (step: Step | undefined): step is Step => Boolean(step?.call ?? step?.inBulk);
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function callOf({ id, etag }: Entry, { op, data }: Step): Call {
  if (op === "create") return change("POST", "/tasks", data);
  if (op === "update") return change("PATCH", `/tasks/${id}`, data, etag);
  if (op === "delete") return change("DELETE", `/tasks/${id}`);
  return change("POST", `/trash/${id}/restore`);
}

/** A restore goes by itself. A bulk cannot delete what it creates. */
const packable = ({ id, steps }: Entry) =>
  steps.length > 0 &&
  steps.every(({ op, call, inBulk }) => op !== "restore" && (op !== "delete" || id > 0) && !call && !inBulk);

/** All that is to be done to a task, as one operation. */
function fold(entry: Entry): Schemas["BulkOperation"] {
  const { id, base, steps } = entry;
  const data: Edit = Object.assign({}, ...steps.map((step) => step.data));
  const op = steps.at(-1)!.op === "delete" ? "delete" : steps[0]!.op;
  entry.steps = [{ op, data, inBulk: true }];
  if (op === "create") return { op, data: data as Draft };
  if (op === "delete") return { op, id };
  return { op: "update", id, data, if_revision: base.revision };
}
