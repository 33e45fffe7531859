// The tasks of the user: Live brings what the server has, Tasks shows over it what is not sent yet.
import { Live, MemoryStore } from "./live.js";
import { Tasks, sender, shown, unsent } from "./optimistic.js";
import { API } from "./session.js";

const AGAIN_MS = 5_000; // until what had no answer is sent again, while the line seems to be there

/**
 * `screen` is told: `changed()`; `news(entry, words)` of what others did; `made(revision, words)` of what this tab did;
 * `state(state, why)`; `refused(op, title, problem)` with the title that was not saved; and asked:
 * `choose(field, mine, theirs)`. An entry is a task as optimistic.js keeps it; it stays the same for as long as the page.
 */
export class Board {
  loaded = false;
  #screen;
  #tasks;
  #send;
  #mine = new Set(); // the revisions that this tab made
  #onWay = new Set();

  constructor(userId, token, screen) {
    this.userId = userId;
    this.#screen = screen;
    this.#send = sender(`${API}/me`, token);
    this.#tasks = this.#restored(`todo-demo:unsent:${userId}`);
    this.live = new Live(`${API}/me`, token, new MemoryStore());
    this.live.listen({
      loaded: () => (this.loaded = true),
      changed: (changes) => changes.forEach((change) => void this.#heard(change)),
      became: (state, why) => this.#became(state, why),
    });
    this.live.listen(this.#tasks);
    setInterval(() => this.#tasks.online || this.live.state === "offline" || this.#tasks.flush(), AGAIN_MS);
  }

  /** How many tasks have changes that were not sent yet. */
  get unsent() {
    return unsent(this.#tasks.state).entries.length;
  }

  /** `{ entry, task, waiting }` for each task, the newest first. */
  rows() {
    return this.#tasks.state.entries
      .map((entry) => ({ entry, task: shown(entry), waiting: entry.steps.length > 0 }))
      .filter(({ task }) => task)
      .sort(byAge);
  }

  create = (title) => this.#tasks.create({ title });
  tick = (entry, completed) => this.#tasks.edit(entry, { completed });
  delete = (entry) => this.#tasks.delete(entry);

  /** `seen` is the task as it was when the editing began: what others made of its title since is not overwritten. */
  rename(entry, seen, title) {
    if (entry.gone) void this.#tasks.restore(entry);
    else if (!entry.steps.length && seen.revision > 0) {
      const base = { ...entry.base, title: seen.title, revision: seen.revision };
      Object.assign(entry, { base, etag: undefined });
    }
    return this.#tasks.edit(entry, { title });
  }

  /** Makes a call, and says what it made. */
  send = async (call) => {
    const answer = await this.#count(this.#send(call));
    if (this.live.state === "offline") this.live.wake(); // the line is back, and Live waits
    if (call.method !== "GET") void this.#count(this.#made(call, answer));
    return answer;
  };

  #restored(key) {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? '{"entries": []}');
    return new Tasks(
      this.send,
      {
        changed: (state) => {
          sessionStorage.setItem(key, JSON.stringify(unsent(state)));
          this.#screen.changed();
        },
        refused: ({ op, data }, problem) => this.#screen.refused(op, data.title, problem),
        choose: (field, mine, theirs) => this.#screen.choose(field, mine, theirs),
      },
      kept,
    );
  }

  #became(state, why) {
    if (state === "offline") this.#tasks.online = false; // what is done now waits for the line
    this.#screen.state(state, why);
  }

  #entry = (id) => this.#tasks.state.entries.find((entry) => entry.id === id);

  #count(work) {
    this.#onWay.add(work);
    const done = () => this.#onWay.delete(work);
    work.then(done, done);
    return work;
  }

  /** Something changed. It is news, unless an answer that is still on its way says that this tab did it. */
  async #heard({ id, revision, data }) {
    const what = this.#entry(id) ? "Changed" : "Added";
    while (this.#onWay.size) await Promise.allSettled(this.#onWay);
    if (this.#mine.has(revision)) return;
    const words = data ? `${what} elsewhere: ${data.title}` : "A task was deleted elsewhere.";
    this.#screen.news(this.#entry(id), words);
  }

  async #made(call, { body, revision: deletion }) {
    const before = this.#before(call.path);
    if (call.method === "PATCH" && body.revision <= before?.revision) return; // it was so already
    const title = body?.title ?? before?.title;
    const revision = body?.revision ?? deletion;
    const first = body?.unit ?? revision - (body?.results?.length ?? 1) + 1;
    for (let mine = first; mine <= revision; mine++) this.#mine.add(mine);
    const words = wordsOf(call, title);
    if (words) this.#screen.made(revision, words);
  }

  /** The task that a call changes, as it was. */
  #before = (path) => this.#entry(Number(/^\/tasks\/(\d+)$/.exec(path)?.[1]))?.base;
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
