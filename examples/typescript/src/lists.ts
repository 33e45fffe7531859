// A board of lists that are sorted by hand, and checklists; docs/lists.md has this file in parts, and why.
import { ApiError, type Task, type todoClient } from "./client.js";
import type { components } from "./api.js";

type Schemas = components["schemas"];
export type List = Schemas["TaskList"];
type Count = Schemas["SubtaskCount"];
type Key = { "Idempotency-Key": string };
type Api = ReturnType<typeof todoClient>;

/** The top of a list (null: of the inbox), or the subtasks of a task. Create and move take it as it is. */
export type Place = { list_id: number | null } | { parent_id: number };

const isIn = (task: Task, place: Place) =>
  "parent_id" in place
    ? task.parent_id === place.parent_id
    : task.parent_id === null && task.list_id === place.list_id;

const filtersOf = (place: Place) =>
  "parent_id" in place
    ? { parent: `${place.parent_id}` }
    : { list: [`${place.list_id ?? "none"}`], parent: "none" };

/** The order by hand. All positions are ASCII: `<` compares them by code point. */
const inOrder = (one: Task, other: Task) => (one.position < other.position ? -1 : 1);

let drops = 0;

/** The task in its new place, until the server answers: right behind `left`, before what was dropped there earlier. */
const behind = (left: Task | undefined, place: Place, task: Task): Task => {
  const under = "parent_id" in place ? place : { parent_id: null, ...place };
  return { ...task, ...under, position: `${left?.position ?? ""}\0${Number.MAX_SAFE_INTEGER - drops++}` };
};

const ATTEMPTS = 4;
const PAUSE_MS = 500;
const AGAIN = [408, 429, 502, 503, 504, 507];
const NONE = { total: 0, completed: 0 };
const me = { user_id: "me" };

/** Makes a change once: the very same call, under one key, until there is an answer. */
export async function once<T>(call: (header: Key) => Promise<T>): Promise<T> {
  const header: Key = { "Idempotency-Key": crypto.randomUUID() };
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(header);
    } catch (error) {
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
      const asked = error instanceof ApiError ? error.afterMs : 0;
      await new Promise((wake) => setTimeout(wake, asked + PAUSE_MS * 2 ** attempt * Math.random()));
    }
  }
}

const mayPass = (error: unknown) =>
  !(error instanceof ApiError) || AGAIN.includes(error.problem.status) || error.code === "idempotency_key_in_progress";

export class Board {
  lists: List[] = [];
  counts: Schemas["AllLists"]["counts"] = { inbox: { ...NONE, open: 0 } }; // as of the last loadLists()
  #tasks = new Map<number, Task>();
  #opened = new Set<number>(); // cards whose subtasks are loaded
  #counts = new Map<number, Count>(); // of all others
  #queue: Promise<void> = Promise.resolve();

  constructor(readonly api: Api, readonly draw: () => void) {}

  /** The tasks of a place, in their order. */
  at = (place: Place) => [...this.#tasks.values()].filter((task) => isIn(task, place)).sort(inOrder);

  /** Loads all lists in their order, the cards of each and of the inbox, and what is opened. */
  async open(): Promise<void> {
    await this.loadLists();
    const lists = [null, ...this.lists.map(({ id }) => id)].map((list_id) => ({ list_id }));
    const opened = [...this.#opened].map((parent_id) => ({ parent_id }));
    await Promise.all([...lists, ...opened].map((place) => this.load(place)));
  }

  /** Loads the lists in their order, and how many tasks each of them and the inbox have. */
  async loadLists(): Promise<void> {
    const { data } = await this.api.GET("/api/{user_id}/lists", { params: { path: me } });
    [this.lists, this.counts] = [data!.lists, data!.counts];
    this.draw();
  }

  /** Loads a place: the cards of a list, or the subtasks of a card that is opened. */
  async load(place: Place): Promise<void> {
    const found: Task[] = [];
    const query = { ...filtersOf(place), sort: "position" as const, limit: 1000 };
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = { path: me, query: { ...query, ...(cursor && { cursor }) } };
      const { data } = await this.api.GET("/api/{user_id}/tasks", { params: page });
      found.push(...data!.tasks);
      for (const { id } of data!.tasks) this.#counts.set(id, data!.subtasks[id] ?? NONE);
      cursor = data!.next_cursor;
    }
    if ("parent_id" in place) this.#opened.add(place.parent_id);
    for (const { id } of this.at(place)) this.#tasks.delete(id);
    this.#show(found);
  }

  #show(tasks: Task[]): void {
    for (const task of tasks) this.#tasks.set(task.id, task);
    this.draw();
  }

  /** Sends a change when those before it have their answers. */
  #send<T>(change: (key: Key) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => once(change));
    this.#queue = turn.then(() => {}, () => {});
    return turn;
  }

  /** Shows the tasks as they shall be, makes the change, and shows what the server answers. */
  async #change<T>(shall: Task[], change: (key: Key) => Promise<T>, made: (answer: T) => Task[]): Promise<void> {
    const before = shall.map(({ id }) => this.#tasks.get(id)!);
    this.#show(shall);
    try {
      this.#show(made(await this.#send(change)));
    } catch (error) {
      this.#show(before);
      throw error;
    }
  }

  /** Drops a card before the card at `index` of a place, or behind the last one. Where it is already, nothing is sent. */
  async drop(card: Task, place: Place, index: number): Promise<void> {
    if (this.#areAt([card], place, index)) return;
    const { left, where } = this.#gap([card], place, index);
    const path = { ...me, task_id: card.id };
    const body = { ...place, ...where };
    const move = (header: Key) => this.api.POST("/api/{user_id}/tasks/{task_id}/move", { params: { path, header }, body });
    return this.#change([behind(left, place, card)], move, ({ data }) => [data!]);
  }

  /** Drops several cards: all of them, or none if anybody has changed one of them. */
  async dropAll(cards: Task[], place: Place, index: number): Promise<void> {
    if (this.#areAt(cards, place, index)) return;
    const { left, where } = this.#gap(cards, place, index);
    const operations = cards.map(({ id, revision }) => ({ op: "move" as const, id, ...place, ...where, if_revision: revision }));
    const move = (header: Key) =>
      this.api.POST("/api/{user_id}/tasks/bulk", { params: { path: me, header }, body: { operations } });
    const shall: Task[] = [];
    for (const card of cards) shall.push(behind(shall.at(-1) ?? left, place, card));
    return this.#change(shall, move, ({ data }) => data!.results.map(({ task }) => task as Task));
  }

  #areAt(cards: Task[], place: Place, index: number): boolean {
    const there = this.at(place).slice(index);
    return cards.every(({ id }, n) => there[n]?.id === id);
  }

  #gap(cards: Task[], place: Place, index: number) {
    const others = this.at(place).filter(({ id }) => !cards.some((card) => card.id === id));
    const right = others[index];
    return { left: others[index - 1], where: right ? { before: right.id } : { at: "end" as const } };
  }

  /** Adds a card to a list, or a subtask to a card, behind the others. */
  async add(title: string, place: Place): Promise<void> {
    const create = (header: Key) =>
      this.api.POST("/api/{user_id}/tasks", { params: { path: me, header }, body: { title, ...place } });
    this.#show([(await this.#send(create)).data!]);
  }

  /** How many subtasks a card has: those that are loaded, else as its page said. */
  progress({ id }: Task): Count {
    if (!this.#opened.has(id)) return this.#counts.get(id) ?? NONE;
    const subtasks = this.at({ parent_id: id });
    return { total: subtasks.length, completed: subtasks.filter(({ completed }) => completed).length };
  }

  /** Ticks one task, or reopens it. */
  tick(task: Task, completed: boolean): Promise<void> {
    return this.#change([{ ...task, completed }], this.#complete(task, { completed }), ({ data }) => [data!]);
  }

  /** Completes a card and everything below it. */
  async tickAll(card: Task): Promise<void> {
    const body = { completed: true, subtasks: true };
    await this.#change([{ ...card, completed: true }], this.#complete(card, body), ({ data }) => [data!]);
    await this.load({ parent_id: card.id }); // the answer has the card alone
  }

  #complete(task: Task, body: Schemas["TaskCompletion"]) {
    const path = { ...me, task_id: task.id };
    return (header: Key) => this.api.PATCH("/api/{user_id}/tasks/{task_id}/complete", { params: { path, header }, body });
  }

  /** Adds a list behind the others. This, and each of the next three, gives back the revision that `undo` takes. */
  addList(name: string, color: string | null = null): Promise<number> {
    const body = { name, color };
    return this.#changeLists((header) => this.api.POST("/api/{user_id}/lists", { params: { path: me, header }, body }));
  }

  renameList({ id }: List, name: string): Promise<number> {
    const path = { ...me, list_id: id };
    const body = { name };
    return this.#changeLists((header) => this.api.PATCH("/api/{user_id}/lists/{list_id}", { params: { path, header }, body }));
  }

  /** Puts a list before the list at `index` of the others, or behind the last one, and shows it there at once. */
  moveList(list: List, index: number): Promise<number> {
    const others = this.lists.filter(({ id }) => id !== list.id);
    const right = others[index];
    const path = { ...me, list_id: list.id };
    const body = right ? { before: right.id } : { at: "end" as const };
    this.lists = [...others.slice(0, index), list, ...others.slice(index)];
    this.draw();
    return this.#changeLists((header) => this.api.POST("/api/{user_id}/lists/{list_id}/move", { params: { path, header }, body }));
  }

  /** Deletes a list. Its tasks go to the trash, or to the end of the inbox. */
  async deleteList({ id }: List, tasks: "trash" | "inbox" = "trash"): Promise<number> {
    const [path, query] = [{ ...me, list_id: id }, { tasks }];
    const remove = (header: Key) => this.api.DELETE("/api/{user_id}/lists/{list_id}", { params: { path, query, header } });
    const revision = await this.#changeLists(remove);
    if (tasks === "inbox") await this.load({ list_id: null });
    return revision;
  }

  /** Makes a change, and loads the lists, also if it is refused. */
  async #changeLists(change: (key: Key) => Promise<{ data?: { revision: number } }>): Promise<number> {
    try {
      return (await this.#send(change)).data!.revision;
    } finally {
      await this.loadLists();
    }
  }

  /** Sends a task to the trash, with everything below it. Gives back the revision that `undo` takes. */
  async delete(task: Task): Promise<number> {
    const path = { ...me, task_id: task.id };
    const send = (header: Key) => this.api.DELETE("/api/{user_id}/tasks/{task_id}", { params: { path, header } });
    const { response } = await this.#send(send);
    this.#tasks.delete(task.id);
    this.draw();
    return Number(response.headers.get("Revision"));
  }

  /** Takes back a whole change: a move, a bulk, a deletion with all subtasks. */
  async undo(revision: number): Promise<void> {
    await this.#send((header) => this.api.POST("/api/{user_id}/undo", { params: { path: me, header }, body: { revision } }));
    await this.open();
  }
}
