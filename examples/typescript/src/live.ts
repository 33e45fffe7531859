// Keeps a store of tasks in step with the server; docs/live-updates.md has this file in parts, and why.
import type { components } from "./api.js";

type Schemas = components["schemas"];
export type Task = Schemas["Task"];
export type Problem = Schemas["Problem"];
/** Of a task, a list, or what later servers have: `kind` says which. */
export type Change = Schemas["Change"];
/** A put has the whole task in `data`, a delete has null. */
export type TaskChange = Schemas["TaskChange"];

/** How far the server's log was read: the token of the place, and the last revision before it. */
export interface Place {
  token: string;
  revision: number;
}

/** Where the tasks are kept. Each method is one transaction: after a crash all of it is there, or none. */
export interface Store {
  /** undefined until tasks were loaded. */
  place(): Promise<Place | undefined>;
  all(): Promise<Task[]>;
  /** Makes the changes that are news, in order, and keeps the token behind them. Gives back the news. */
  apply(changes: Change[], token: string): Promise<TaskChange[]>;
  /** Keeps these tasks instead of all others. */
  replace(tasks: Task[], place: Place): Promise<void>;
  /** Forgets everything: the user signs out. */
  clear(): Promise<void>;
}

/**
 * A change is news when it is newer than the place and than the task that is kept. A delete of a task that is not kept
 * is news, too: whoever made the task may show it already.
 */
export function isNews(change: Change, place: Place | undefined, kept: Task | undefined): change is TaskChange {
  const { kind, op, revision } = change;
  const known = kind === "task" && (op === "put" || op === "delete"); // later servers may send others
  return known && revision > Math.max(place?.revision ?? 0, kept?.revision ?? 0);
}

/** The place behind the changes. It never goes back, so a change that comes again is no news. */
export function placeBehind(changes: Change[], token: string, before: Place | undefined): Place {
  return { token, revision: Math.max(before?.revision ?? 0, ...changes.map((change) => change.revision)) };
}

/** Lives as long as the page. */
export class MemoryStore implements Store {
  #tasks = new Map<number, Task>();
  #place: Place | undefined;

  place = async () => this.#place;
  all = async () => [...this.#tasks.values()];
  clear = () => this.replace([]);

  async apply(changes: Change[], token: string): Promise<TaskChange[]> {
    const news = changes.filter((change): change is TaskChange => {
      if (!isNews(change, this.#place, this.#tasks.get(change.id))) return false;
      if (change.data) this.#tasks.set(change.id, change.data);
      else this.#tasks.delete(change.id);
      return true;
    });
    this.#place = placeBehind(changes, token, this.#place);
    return news;
  }

  async replace(tasks: Task[], place?: Place): Promise<void> {
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#place = place;
  }
}

/** A block of the stream. `id` is the last one that came, in this block or before it. */
export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

/** Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) in any chunks. */
export class EventParser {
  retry: number | undefined; // in ms, as the server asked last
  #id = "";
  #event = "";
  #data: string[] = [];
  #fields = 0;
  #line = "";
  #afterCr = false;
  #decoder = new TextDecoder(); // keeps half a character until the rest comes

  /** The events that end in this chunk. */
  feed(chunk: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (!text) return [];
    if (this.#afterCr && text.startsWith("\n")) text = text.slice(1); // the second half of CR LF
    this.#afterCr = text.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\r|\n/);
    this.#line = lines.pop()!;
    return lines.flatMap((line) => this.#take(line) ?? []);
  }

  #take(line: string): ServerEvent | undefined {
    if (line === "") return this.#end();
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!; // a comment has no name
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
    else return;
    this.#fields++;
  }

  /** A block without data is an event, too: the first one has the place and nothing else. */
  #end(): ServerEvent | undefined {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const empty = this.#fields === 0;
    [this.#event, this.#data, this.#fields] = ["", [], 0];
    return empty ? undefined : event;
  }
}

/** The chunks of a body. Safari cannot iterate one. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let read; !(read = await reader.read()).done; ) yield read.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** `polling`: changes come a few seconds late. `offline`: nothing comes, for now. `connecting`: not known yet. */
export type LiveState = "connecting" | "live" | "polling" | "offline";

/** Is told after the store has it. */
export interface Listener {
  /** These tasks are there instead of all others: at the start, and after a reset. */
  loaded?(tasks: Task[]): void;
  /** What is news, in order: a task is new, is another now, or is gone. */
  changed?(changes: TaskChange[]): void;
  /** A list is new, is another now, or is gone: load the lists again. Perhaps told twice. */
  listsChanged?(): void;
  /** `why` is what the API said, if it said no. */
  became?(state: LiveState, why?: Problem): void;
}

/** All in ms. */
export const TIMES = {
  first: 10_000, // until the first event, which the server sends at once; a proxy may hold it back
  dead: 45_000, // without a byte: the server sends a comment every 20 s
  retry: 3_000, // until a line that broke is tried again, if the server has not said
  longest: 60_000, // and if it breaks again and again
  poll: 5_000, // between two polls
  again: 300_000, // while polling, until the stream is tried again, at most
  answer: 30_000, // for one answer that is no stream
};

/** The API said no. */
class Refused extends Error {
  constructor(readonly problem: Problem, readonly afterMs: number) {
    super(problem.detail);
  }
}

export class Live {
  state: LiveState = "connecting";
  why: Problem | undefined; // of the state
  #listeners = new Set<Listener>();
  #times: typeof TIMES;
  #running: Promise<void> | undefined;
  #life = new AbortController(); // of what is running: stop() ends it
  #turn = new AbortController(); // what is going on now: wake() and stop() end it
  #renew = false; // the last token is of no use
  #stale = false; // the log does not reach back to the place
  #half: { tasks: Task[]; place: Place; cursor: string } | undefined; // of a load that has not ended
  #retry: number;
  #failures = 0; // in a row
  #misses = 0; // streams in a row that brought nothing
  #broken: unknown; // why the last stream ended
  #streamAt = 0; // when the next stream may be tried

  /** `base` ends with the user: `https://api.example.com/api/me`. `token(true)` must get a new one. */
  constructor(
    readonly base: string,
    readonly token: (renew: boolean) => Promise<string>,
    readonly store: Store,
    times: Partial<typeof TIMES> = {},
  ) {
    this.#times = { ...TIMES, ...times };
    this.#retry = this.#times.retry;
  }

  /** Gives back what ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Runs until stop(). */
  start(): Promise<void> {
    if (this.#running && !this.#life.signal.aborted) return this.#running;
    const [before, { signal }] = [this.#running, (this.#life = new AbortController())];
    const running = Promise.resolve(before).then(() => this.#run(signal));
    this.#running = running.finally(() => this.#life.signal === signal && (this.#running = undefined));
    return this.#running;
  }

  /** When it has ended, nothing is written any more. */
  async stop(): Promise<void> {
    this.#life.abort();
    this.#turn.abort();
    await this.#running;
  }

  /** Tries again at once: addEventListener("online", () => live.wake()). */
  wake(): void {
    this.#failures = this.#misses = this.#streamAt = 0;
    this.#turn.abort();
  }

  async #run(life: AbortSignal): Promise<void> {
    if (!life.aborted && (await this.store.place())) await this.#tellLoaded();
    while (!life.aborted) {
      this.#turn = new AbortController();
      await pause(await this.#round(), this.#turn.signal);
    }
    this.#say("offline");
  }

  /** Listens, or polls once; gives back how long to wait then. */
  async #round(): Promise<number> {
    const turn = this.#turn.signal;
    try {
      if (this.#stale || !(await this.store.place())) await this.#load();
      if (Date.now() >= this.#streamAt) {
        if (await this.#follow(turn)) return this.#renew ? 0 : this.#backoff(0);
        if (turn.aborted) return 0;
        this.#streamAt = Date.now() + this.#afterMiss();
      }
      await this.#poll();
      this.#failures = 0;
      this.#say("polling", problemOf(this.#broken));
      return jittered(this.#times.poll);
    } catch (error) {
      return turn.aborted ? 0 : this.#failed(error);
    }
  }

  #failed(error: unknown): number {
    const problem = problemOf(error);
    this.#streamAt = 0; // a line that is back is asked for a stream first
    if (problem?.code === "changes_expired") return this.#reset();
    if (problem?.status === 422) this.#reset(); // what is kept is no token, or no cursor
    this.#say("offline", problem);
    return askedMs(error) + this.#backoff(this.#failures++);
  }

  /** The list is loaded next. All clients do that after a restore: not all at one moment. */
  #reset(): number {
    [this.#stale, this.#half] = [true, undefined];
    return this.#backoff(0);
  }

  #backoff(failures: number): number {
    return jittered(Math.min(this.#times.longest, this.#retry * 2 ** failures));
  }

  #afterMiss(): number {
    const grown = Math.min(this.#times.again, this.#times.poll * 2 ** ++this.#misses);
    return askedMs(this.#broken) + jittered(grown);
  }

  /** The token of the first page is the place: what later pages have beyond it comes again, and is no news. */
  async #load(): Promise<void> {
    do {
      const cursor: string = this.#half ? `&cursor=${encodeURIComponent(this.#half.cursor)}` : "";
      const page = await this.#get<Schemas["TaskPage"]>(`/tasks?order=asc&limit=1000&total=false${cursor}`);
      const { tasks = [], place = { token: page.sync_token, revision: page.revision } } = this.#half ?? {};
      tasks.push(...page.tasks);
      this.#half = { tasks, place, cursor: page.next_cursor ?? "" };
    } while (this.#half.cursor);
    const { tasks, place } = this.#half;
    this.#half = undefined;
    await this.store.replace(tasks, place);
    this.#stale = false;
    await this.#tellLoaded();
  }

  async #poll(): Promise<void> {
    for (let more = true; more; ) {
      const since = encodeURIComponent((await this.store.place())!.token);
      const page = await this.#get<Schemas["ChangePage"]>(`/changes?limit=1000&since=${since}`);
      await this.#apply(page.changes, page.sync_token);
      more = page.has_more;
    }
  }

  /** True if the stream brought anything before it ended. */
  async #follow(turn: AbortSignal): Promise<boolean> {
    let heard = false;
    for await (const events of this.#stream(turn)) {
      heard = true;
      this.#failures = this.#misses = this.#streamAt = 0;
      this.#say("live");
      if (await this.#take(events)) break;
    }
    return heard;
  }

  /** Gives what comes. It ends with the line, and keeps why. */
  async *#stream(turn: AbortSignal): AsyncGenerator<ServerEvent[]> {
    const silence = new AbortController();
    const giveUp = () => silence.abort(new Error("the line is silent"));
    let timer = setTimeout(giveUp, this.#times.first);
    this.#broken = undefined;
    try {
      const parser = new EventParser();
      for await (const chunk of chunksOf(await this.#open(AbortSignal.any([turn, silence.signal])))) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, this.#times.dead);
        const events = parser.feed(chunk);
        this.#retry = parser.retry ?? this.#retry;
        if (events.length) yield events;
      }
    } catch (error) {
      this.#broken = error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Behind the place, wherever an earlier stream ended. */
  async #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { token } = (await this.store.place())!;
    const response = await this.#ask("/events", signal, { Accept: "text/event-stream", "Last-Event-ID": token });
    const type = response.headers.get("Content-Type") ?? "none";
    if (response.body && type.startsWith("text/event-stream")) return response.body;
    await response.body?.cancel();
    throw new Error(`no stream, but ${type}`);
  }

  /** True when the stream is of no use any more. */
  async #take(events: ServerEvent[]): Promise<boolean> {
    const end = events.findIndex(({ event }) => event === "reset" || event === "expired");
    const before = end < 0 ? events : events.slice(0, end);
    const changes = before.filter(({ event }) => event === "change").map(({ data }) => JSON.parse(data) as Change);
    const token = before.at(-1)?.id;
    if (token) await this.#apply(changes, token);
    if (end < 0) return false;
    if (events[end]!.event === "reset") this.#reset();
    else this.#renew = true;
    return true;
  }

  async #apply(changes: Change[], token: string): Promise<void> {
    const news = await this.store.apply(changes, token);
    if (changes.some(({ kind }) => kind === "list")) this.#tell((listener) => listener.listsChanged?.());
    if (news.length) this.#tell((listener) => listener.changed?.(news));
  }

  async #get<T>(path: string): Promise<T> {
    const signal = AbortSignal.any([this.#turn.signal, AbortSignal.timeout(this.#times.answer)]);
    return (await this.#ask(path, signal)).json() as Promise<T>;
  }

  /** A token that is refused is renewed, once. */
  async #ask(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    for (;;) {
      const renewed = this.#renew;
      const Authorization = `Bearer ${await this.token(renewed)}`;
      const response = await fetch(this.base + path, { headers: { ...headers, Authorization }, signal });
      this.#renew = response.status === 401;
      if (response.ok) return response;
      const refused = await refusal(response);
      if (!this.#renew || renewed) throw refused;
    }
  }

  async #tellLoaded(): Promise<void> {
    const tasks = await this.store.all();
    this.#tell((listener) => listener.loaded?.(tasks));
  }

  #say(state: LiveState, why?: Problem): void {
    if (state === this.state && why?.code === this.why?.code) return;
    [this.state, this.why] = [state, why];
    this.#tell((listener) => listener.became?.(state, why));
  }

  /** A listener that throws keeps nobody else from being told. */
  #tell(tell: (listener: Listener) => void): void {
    for (const listener of this.#listeners) {
      try {
        tell(listener);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

async function refusal(response: Response): Promise<Refused> {
  const text = await response.text();
  const ours = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const foreign = { status: response.status, code: "foreign", detail: `HTTP ${response.status}, not of the API` };
  const afterMs = (Number(response.headers.get("Retry-After")) || 0) * 1000;
  return new Refused((ours ? JSON.parse(text) : foreign) as Problem, afterMs);
}

const problemOf = (error: unknown) => (error instanceof Refused ? error.problem : undefined);
const askedMs = (error: unknown) => (error instanceof Refused ? error.afterMs : 0);

/** Between half and one and a half: never all clients at one moment. */
const jittered = (ms: number) => ms * (0.5 + Math.random());

/** Ends early when the turn ends. */
function pause(ms: number, turn: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (turn.aborted) return done();
    const timer = setTimeout(done, ms);
    turn.addEventListener("abort", () => (clearTimeout(timer), done()));
  });
}
