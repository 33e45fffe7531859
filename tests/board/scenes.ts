// The scenes of tests/integration/test_board.py; each prints one JSON.
import { API, TOKEN, api, later, me, play } from "./board-losing.js";
import { ApiError, todoClient } from "./client.js";
import { Board, once, type Place } from "./lists.js";
import { Live, MemoryStore } from "./live.js";

const titles = (board: Board, place: Place) => board.at(place).map(({ title }) => title);
const called = (board: Board, title: string, place: Place) => board.at(place).find((task) => task.title === title)!;

/** Two lists with cards, on a board that remembers what it showed. */
async function board() {
  const lists: number[] = [];
  for (const name of ["To do", "Done"])
    lists.push((await api.POST("/api/{user_id}/lists", { params: { path: me }, body: { name } })).data!.id);
  const [todo, done] = lists.map((list_id) => ({ list_id })) as [Place, Place];
  const shown: string[][][] = [];
  const one = new Board(api, () => shown.push([titles(one, todo), titles(one, done)]));
  await one.open();
  for (const title of ["A", "B", "C"]) await one.add(title, todo);
  return { one, todo, done, shown };
}

const seen = (one: Board, ...places: Place[]) => places.map((place) => titles(one, place));

/** What another client, who loads it all, sees. */
async function elsewhere(...places: Place[]) {
  const other = new Board(api, () => {});
  await other.open();
  for (const place of places) await other.load(place);
  return { other, seen: seen(other, ...places) };
}

async function drag() {
  const { one, todo, done, shown } = await board();
  const card = (title: string, place = todo) => called(one, title, place);
  shown.length = 0;
  await one.drop(card("C"), todo, 0); // within a list
  await one.drop(card("A"), done, 0); // to an empty list
  await Promise.all([one.drop(card("B"), done, 0), one.drop(card("C"), done, 0)]); // faster than the answers
  const moved = seen(one, todo, done);
  await one.dropAll([card("A", done), card("B", done)], todo, 0);
  const last = card("B");
  const both = await elsewhere(todo, done);
  await one.undo(last.revision); // both of them go back
  return { first: shown.slice(0, 3), fast: shown[5], moved, both: both.seen, undone: seen(one, todo, done), same: (await elsewhere(todo, done)).seen };
}

/** Somebody else is faster. */
async function beaten() {
  const { one, todo, done } = await board();
  const { other } = await elsewhere();
  await other.tick(called(other, "A", todo), true);
  await other.delete(called(other, "C", todo));
  const codes: unknown[] = [];
  const refused = (error: unknown) => void codes.push((error as ApiError).code, (error as ApiError).problem.errors?.[0]?.code);
  const cards = one.at(todo);
  await one.dropAll(cards.slice(0, 2), done, 0).catch(refused);
  await one.drop(cards[0]!, todo, 2).catch(refused); // it is last, or before C
  await one.drop(cards[0]!, todo, 1).catch(refused); // C is its neighbour, and is gone
  const back = seen(one, todo, done);
  await one.open();
  return { codes, back, opened: seen(one, todo, done) };
}

/** What is dropped where it is takes no revision. */
async function still() {
  const { one, todo, done } = await board();
  const cards = one.at(todo);
  for (const [index, card] of cards.entries()) await one.drop(card, todo, index);
  await one.dropAll(cards.slice(1), todo, 1);
  const { other, seen } = await elsewhere(todo);
  const kept = other.at(todo).every(({ revision }, n) => revision === cards[n]!.revision);
  await one.drop(cards[1]!, done, 1); // another place, though the same index
  return { kept, seen, moved: (await elsewhere(todo, done)).seen };
}

/** A server that is busy says how long to wait. */
async function busy() {
  const [line, pause, waits] = [globalThis.fetch, globalThis.setTimeout, [] as number[]];
  let answers = 0;
  const problem = { type: "/problems/busy", title: "", status: 503, detail: "", code: "busy", instance: "" };
  const headers = { "Content-Type": "application/problem+json", "Retry-After": "7" };
  globalThis.fetch = async (...call) => (answers++ ? line(...call) : new Response(JSON.stringify(problem), { status: 503, headers }));
  globalThis.setTimeout = ((run: () => void, ms: number) => (waits.push(ms), pause(run, ms))) as typeof setTimeout;
  const client = todoClient(API!, async () => TOKEN!);
  await once((header) => client.POST("/api/{user_id}/lists", { params: { path: me, header }, body: { name: "To do" } }));
  [globalThis.fetch, globalThis.setTimeout] = [line, pause];
  return { seconds: Math.floor(waits[0]! / 1000), answers, lists: (await elsewhere()).other.lists.map(({ name }) => name) };
}

async function lists() {
  const { one, todo } = await board();
  const inbox: Place = { list_id: null };
  const list = (name: string) => one.lists.find((each) => each.name === name)!;
  const names = ({ lists }: Board) => lists.map(({ name }) => name);
  /** What the board shows, what another client sees, and how many tasks each list and the inbox have. */
  const now = async () => [names(one), names((await elsewhere()).other), Object.values(one.counts).map(({ total }) => total)];

  await one.addList("Later", "#2e8b57");
  const renamed = await one.renameList(list("Later"), "Next");
  const moving = one.moveList(list("Next"), 0);
  const atOnce = names(one);
  const moved = await moving;
  const changed = await now();
  await one.undo(moved);
  const refused = await one.undo(renamed).catch((error: unknown) => (error as ApiError).code); // the undo came since
  const undone = await now();

  const kept = await one.deleteList(list("To do"), "inbox");
  const emptied = { seen: seen(one, inbox), now: await now() };
  await one.undo(kept);
  await one.deleteList(list("To do"));
  const deleted = await now();
  const { data } = await api.GET("/api/{user_id}/trash", { params: { path: me } }); // as after a reload
  await one.undo(data!.tasks[0]!.revision);
  const back = { seen: seen(one, todo, inbox), now: await now() };
  const { id } = list("Done");
  const deletion = await one.deleteList(list("Done"));
  const history = await api.GET("/api/{user_id}/history", { params: { path: me, query: { list_id: id, limit: 1 } } });
  return { atOnce, changed, refused, undone, emptied, deleted, back, logged: history.data!.changes[0]!.revision === deletion };
}

/** Another client changes lists while the board listens. */
async function listening() {
  const { one, todo } = await board();
  const { other } = await elsewhere();
  const live = new Live(`${API}/api/me`, async () => TOKEN!, new MemoryStore(), { first: 300_000, dead: 600_000 });
  const names = () => one.lists.map(({ name }) => name);
  const until = async (expected: string[]) => {
    while (JSON.stringify(names()) !== JSON.stringify(expected)) await new Promise((wake) => later(wake, 5));
  };
  const ready = new Promise<void>((done) => live.listen({ became: () => done(), listsChanged: () => void one.loadLists() }));
  void live.start();
  await ready;
  await other.renameList(other.lists[0]!, "Doing");
  await until(["Doing", "Done"]);
  await other.moveList(other.lists[0]!, 1);
  await until(["Done", "Doing"]);
  await other.deleteList(other.lists[1]!, "inbox");
  await until(["Done"]);
  await live.stop();
  return { names: names(), state: live.state, cards: (await elsewhere(todo, { list_id: null })).seen };
}

async function checklist() {
  const { one, todo } = await board();
  const card = called(one, "A", todo);
  const inside = { parent_id: card.id };
  await one.load(inside);
  for (const title of ["x", "y", "z"]) await one.add(title, inside);
  const states = () => one.at(inside).map(({ title, completed }) => [title, completed]);
  await one.tick(called(one, "y", inside), true);
  await one.drop(called(one, "z", inside), inside, 0);
  const ticked = { states: states(), progress: one.progress(card), elsewhere: (await elsewhere()).other.progress(card) };
  await one.tickAll(card);
  const all = { card: called(one, "A", todo).completed, states: states() };
  await one.undo(called(one, "A", todo).revision);
  const undone = { card: called(one, "A", todo).completed, states: states() };
  const revision = await one.delete(card);
  const deleted = await elsewhere(todo, inside);
  await one.undo(revision);
  return { ticked, all, undone, deleted: deleted.seen, back: [seen(one, todo), states()] };
}

await play({ drag, beaten, still, busy, lists, listening, checklist });
