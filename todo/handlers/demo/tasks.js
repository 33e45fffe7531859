// The tasks as they are shown: what the server has, which Live keeps in step, and over it what is not sent yet.
import { Live, isNews, placeBehind } from "./live.js";
import { Tasks, Unanswered, sender, shown } from "./optimistic.js";

const AGAIN_MS = 3_000;

/** What the server has, as far as it was told. */
class Server {
  tasks = new Map();
  at = undefined;

  constructor(changed) {
    this.changed = changed;
  }

  place = async () => this.at;
  all = async () => [...this.tasks.values()];
  clear = async () => this.#set([], undefined);
  replace = async (tasks, place) => this.#set(tasks, place);

  async apply(changes, token) {
    const news = changes.filter((change) => {
      if (!isNews(change, this.at, this.tasks.get(change.id))) return false;
      if (change.data) this.tasks.set(change.id, change.data);
      else this.tasks.delete(change.id);
      return true;
    });
    this.at = placeBehind(changes, token, this.at);
    this.changed();
    return news;
  }

  #set(tasks, place) {
    this.tasks = new Map(tasks.map((task) => [task.id, task]));
    this.at = place;
    this.changed();
  }
}

/**
 * `screen` is told: `changed()`; `news(key, words)` of what others did; `made(revision, words)` of what this tab did;
 * `state(state, why)`; `refused(words, title)` with the title that was not saved; and asked:
 * `choose(field, mine, theirs)`.
 */
export class Board {
  #screen;
  #server;
  #waiting;
  #send;
  #born = new WeakMap(); // the first ids of what was made here
  #keys = new Map(); // a task that was made here keeps the key of its row, though its id is another
  #seen = new Set(); // the ids that were shown last
  #mine = new Set(); // the revisions that this tab made
  #onWay = new Set();

  constructor(userId, token, screen) {
    this.userId = userId;
    this.#screen = screen;
    this.#server = new Server(() => this.#changed());
    this.#send = sender("/api/me", token);
    this.#waiting = this.#restored(`todo-demo:waiting:${userId}`);
    this.live = new Live("/api/me", token, this.#server);
    this.live.listen({
      loaded: (tasks) => (this.#seen = new Set(tasks.map((task) => task.id))),
      changed: (change) => void this.#heard(change),
      state: (state, why) => this.#line(state, why),
    });
  }

  get loaded() {
    return this.#server.at !== undefined;
  }

  /** How many tasks have changes that were not sent yet. */
  get unsent() {
    return this.#waiting.state.entries.filter((entry) => entry.steps.length).length;
  }

  /** `{ key, task, waiting }` for each task, the newest first; `key` stays for as long as the page. */
  rows() {
    const entries = new Map(this.#waiting.state.entries.map((entry) => [entry.id, entry]));
    const making = [...entries.values()].some(({ id, steps }) => id < 0 && steps[0]?.call);
    const rows = [];
    for (const id of new Set([...this.#server.tasks.keys(), ...entries.keys()])) {
      const entry = entries.get(id);
      // The stream can be faster than the answer: what is new may be the very task that is being made.
      if (!entry && making && !this.#seen.has(id)) continue;
      const task = entry ? shown({ ...entry, base: this.#newest(entry) }) : this.#server.tasks.get(id);
      if (task) rows.push({ key: this.#keys.get(id) ?? id, task, waiting: Boolean(entry?.steps.length) });
    }
    this.#seen = new Set(rows.map(({ task }) => task.id));
    return rows.sort(byAge);
  }

  create(title) {
    this.#waiting.create({ title });
  }

  tick = (task, completed) => this.#waiting.edit(this.#entry(task), { completed });
  delete = (task) => this.#waiting.delete(this.#entry(task));

  /** `seen` is the task as it was when the editing began: what others changed since is not overwritten. */
  rename(task, seen, title) {
    return this.#waiting.edit(this.#entry(seen.revision ? { ...seen, id: task.id } : task), { title });
  }

  /** The task was deleted while it was edited. */
  revive(seen, title) {
    const entry = this.#entry(seen);
    if (entry.gone || !this.#server.tasks.has(seen.id)) {
      entry.gone = true;
      void this.#waiting.restore(entry);
    }
    return this.#waiting.edit(entry, { title });
  }

  /** Makes a call, and says what it made. */
  send = async (call) => {
    const answer = await this.#count(this.#send(call).catch((error) => this.#failed(error)));
    if (call.method !== "GET") void this.#count(this.#made(call, answer));
    return answer;
  };

  /** The line can break and be back before Live notices. */
  #failed(error) {
    if (error instanceof Unanswered) setTimeout(() => this.live.state !== "offline" && this.#waiting.flush(), AGAIN_MS);
    throw error;
  }

  #restored(key) {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? '{"entries": []}');
    return new Tasks(
      this.send,
      {
        changed: (state) => {
          sessionStorage.setItem(key, JSON.stringify(state));
          this.#changed();
        },
        refused: ({ op, data }, problem) => this.#screen.refused(op, data.title, problem),
        choose: (field, mine, theirs) => this.#screen.choose(field, mine, theirs),
      },
      kept,
    );
  }

  #count(work) {
    this.#onWay.add(work);
    const done = () => this.#onWay.delete(work);
    work.then(done, done);
    return work;
  }

  #newest({ id, base }) {
    const known = this.#server.tasks.get(id);
    return known && known.revision > base.revision ? known : base;
  }

  /** Where the steps of a task are kept; `task` is as the user saw it. */
  #entry(task) {
    const { state } = this.#waiting;
    const found = state.entries.find(({ id }) => id === task.id);
    if (found?.steps.length) return found;
    const etag = found?.base.revision === task.revision ? found.etag : undefined;
    const entry = { id: task.id, base: task, etag, gone: false, steps: [] };
    state.entries = [...state.entries.filter((other) => other !== found), entry];
    return entry;
  }

  #changed() {
    if (!this.#waiting) return; // while it is being restored
    const { state } = this.#waiting;
    for (const entry of state.entries) {
      if (entry.id < 0) this.#born.set(entry, entry.id);
      else if (this.#born.has(entry)) this.#keys.set(entry.id, this.#born.get(entry));
    }
    state.entries = state.entries.filter((entry) => entry.steps.length || !this.#caughtUp(entry));
    this.#screen.changed();
  }

  /** What was made is in what the server told, too. */
  #caughtUp({ id, base, gone }) {
    if (gone) return (this.#server.tasks.get(id)?.revision ?? Infinity) > base.revision;
    return (this.#server.at?.revision ?? 0) >= base.revision;
  }

  #line(state, why) {
    if (state === "offline") this.#waiting.online = false; // what is done now waits for the line
    else void this.#waiting.flush();
    this.#screen.state(state, why);
  }

  /** Something changed: it is news, unless it turns out to be of this tab. */
  async #heard({ id, revision, data }) {
    const what = this.#seen.has(id) ? "Changed" : "Added";
    while (this.#onWay.size) await Promise.allSettled(this.#onWay);
    if (this.#mine.has(revision)) return;
    const words = data ? `${what} elsewhere: ${data.title}` : "A task was deleted elsewhere.";
    this.#screen.news(this.#keys.get(id) ?? id, words);
  }

  async #made(call, { body }) {
    const before = this.#before(call.path);
    if (call.method === "PATCH" && body.revision <= before?.revision) return; // it was so already
    const title = body?.title ?? before?.title;
    const revision = body?.revision ?? (await this.#deletion(call.path));
    const first = body?.unit ?? revision - (body?.results?.length ?? 1) + 1;
    for (let mine = first; mine <= revision; mine++) this.#mine.add(mine);
    const words = wordsOf(call, title);
    if (words) this.#screen.made(revision, words);
  }

  /** The task that a call changes, as it was. */
  #before(path) {
    const id = Number(/^\/tasks\/(\d+)$/.exec(path)?.[1]);
    return this.#waiting.state.entries.find((entry) => entry.id === id)?.base;
  }

  /** The answer of a deletion has no revision; the log has it. */
  async #deletion(path) {
    const id = /\d+$/.exec(path)[0];
    const { body } = await this.#send({ method: "GET", path: `/history?limit=1&task_id=${id}`, headers: {} });
    return body.changes[0].revision;
  }
}

/** The newest first; what was not sent yet has an id below 0, and comes before all. */
function byAge({ task: { id: one } }, { task: { id: other } }) {
  if (one < 0 !== other < 0) return one < 0 ? -1 : 1;
  return Math.abs(other) - Math.abs(one);
}

function wordsOf({ method, path, body }, title) {
  if (path === "/undo") return undefined;
  if (path === "/tasks/bulk") return `Sent ${body.operations.length} changes`;
  if (method === "DELETE") return `Deleted “${title}”`;
  if (method === "POST") return path === "/tasks" ? `Added “${title}”` : `Brought back “${title}”`;
  if ("completed" in body) return `${body.completed ? "Completed" : "Reopened"} “${title}”`;
  return `Renamed to “${title}”`;
}
