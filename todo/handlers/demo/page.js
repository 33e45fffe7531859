// The page: a door to log in at, and the list behind it.
import * as session from "./session.js";
import { Board } from "./tasks.js";
import { Row } from "./row.js";
import { Undo } from "./undo.js";
import { shown } from "./optimistic.js";

const MOST_ROWS = 300;
const HIDDEN_MS = 60_000; // until a tab that nobody sees lets go of its line; browsers have six to a server
const LINES = {
  live: "Live: changes show at once, in every tab.",
  polling: "Polling: changes show within seconds.",
  offline: "Offline: you can go on. What you change is kept, and sent when the line is back.",
};

const $ = (selector) => document.querySelector(selector);
const rows = new Map(); // what is on the screen: entry → Row
let board, undo, drawing;

// The door.

$("#door form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { email, password } = event.target.elements;
  const buttons = event.target.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    $("#door .problem").textContent = "";
    await session.enter(event.submitter?.value ?? "login", email.value, password.value);
    password.value = "";
    enter();
  } catch (error) {
    const lost = error instanceof TypeError || error.name === "TimeoutError";
    $("#door .problem").textContent = lost ? "No answer from the server. Try again." : error.message;
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
});

$("#leave").addEventListener("click", () => {
  session.leave();
  location.reload();
});

/** Another tab logged in or out, or the session has ended: what is typed here stays for the same user. */
session.onChange(() => {
  if (session.user()) return enter();
  if (board) $("#door .problem").textContent = "You were logged out. Log in again; nothing is lost.";
  void board?.live.stop();
  show("door");
});

function show(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
  $(id === "door" ? "#email" : "#title").focus();
}

function enter() {
  const user = session.user();
  if (board && board.userId !== user.id) return location.reload();
  if ($("#app").hidden) show("app");
  if (!board) open(user);
  void board.live.start();
}

function open(user) {
  $("#who").textContent = user.email;
  board = new Board(user.id, session.token, { changed, news, made, state, refused, choose });
  undo = new Undo(user.id, board.send, drawUndo);
  drawUndo();
}

// What the board tells.

/** All that changes until the next turn is drawn at once. */
function changed() {
  drawing ??= setTimeout(() => {
    drawing = undefined;
    draw();
  });
}

function news(entry, words) {
  $("#news").textContent = words;
  rows.get(entry)?.flash();
}

function made(revision, words) {
  undo.remember(revision, words);
}

function state(name, why) {
  $("#line").dataset.state = name;
  $("#why").textContent = why ? ` (${why.detail})` : "";
  $("#state").textContent = LINES[name];
  changed();
}

function refused(op, title, problem) {
  const gone = problem.code === "task_not_found" ? "The task was deleted elsewhere." : problem.detail;
  say(title ? `“${title}” was not saved. ${gone}` : gone);
  if (op === "create" && !$("#title").value) $("#title").value = title;
}

/** Both changed the title. */
async function choose(_field, mine, theirs) {
  const dialog = $("#choice");
  const [my, their] = dialog.querySelectorAll("span");
  [my.textContent, their.textContent] = [mine, theirs];
  dialog.showModal();
  await new Promise((chosen) => dialog.addEventListener("close", chosen, { once: true }));
  return dialog.returnValue;
}

$("#choice").addEventListener("cancel", (event) => event.preventDefault());

// The list.

const actions = {
  tick: (entry, completed) => board.tick(entry, completed),
  remove: (entry) => board.delete(entry),
  save: (entry, seen, title) => board.rename(entry, seen, title),
  closed: changed,
};

$("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = $("#title").value;
  if (!title.trim()) return;
  $("#title").value = "";
  board.create(title);
});

$("#filter").addEventListener("change", draw);
$("#search").addEventListener("input", draw);

function draw() {
  const all = board.rows();
  const wanted = all.filter(isWanted());
  drawCounts(all);
  drawUnsent();
  drawRows(wanted.slice(0, MOST_ROWS));
  $("#empty").hidden = !board.loaded || (wanted.length > 0 && wanted.length <= MOST_ROWS);
  if (wanted.length > MOST_ROWS) $("#empty").textContent = `And ${wanted.length - MOST_ROWS} more: search for them.`;
  else $("#empty").textContent = all.length ? "No task is like that." : "Nothing to do yet. Add a first task above.";
}

function isWanted() {
  const filter = $("#filter :checked").value;
  const folded = (text) => text.normalize("NFKC").toLowerCase();
  const words = folded($("#search").value).split(/\s+/).filter(Boolean);
  return ({ task }) =>
    (filter === "all" || task.completed === (filter === "completed")) &&
    words.every((word) => folded(task.title).includes(word));
}

function drawCounts(all) {
  const completed = all.filter(({ task }) => task.completed).length;
  const counts = { all: all.length, open: all.length - completed, completed };
  for (const [name, count] of Object.entries(counts)) $(`#filter [value=${name}] + span small`).textContent = count;
  document.title = counts.open ? `${counts.open} open · Tasks` : "Tasks";
}

/** What is on its way is no matter, unless the line is cut. */
function drawUnsent() {
  const count = $("#line").dataset.state === "offline" ? board.unsent : 0;
  $("#unsent").textContent = count ? ` ${count} ${count === 1 ? "is" : "are"} not sent yet.` : "";
}

function drawRows(wanted) {
  const entries = new Set(wanted.map(({ entry }) => entry));
  const staying = new Set(); // whatever becomes of a task, its row stays while it is edited
  for (const row of rows.values()) {
    if (entries.has(row.entry)) continue;
    if (!row.editing) {
      drop(row);
      continue;
    }
    staying.add(row.element);
    row.show(shown(row.entry) ?? row.task);
  }
  let next = $("#list").firstElementChild;
  for (const { entry, task, waiting } of wanted) {
    if (!rows.has(entry)) rows.set(entry, new Row(entry, actions));
    const row = rows.get(entry);
    row.show(task, waiting);
    while (staying.has(next)) next = next.nextElementSibling;
    if (next === row.element) next = next.nextElementSibling;
    else $("#list").insertBefore(row.element, next);
  }
}

/** Takes a row away; the focus goes to the next one. */
function drop({ entry, element }) {
  const beside = element.nextElementSibling ?? element.previousElementSibling;
  const focused = element.contains(document.activeElement);
  element.remove();
  rows.delete(entry);
  if (focused) (beside?.querySelector(".title") ?? $("#title")).focus();
}

// The bars.

function say(words) {
  $("#refusal p").textContent = words;
  $("#refusal").hidden = !words;
}

$("#refusal button").addEventListener("click", () => say(""));

function drawUndo() {
  const { words, undone } = undo.last ?? {};
  $("#undo").hidden = !words;
  $("#undo p").textContent = undone ? `Undone: ${words}` : (words ?? "");
  $("#undo button").textContent = undone ? "Redo" : "Undo";
}

$("#undo button").addEventListener("click", async ({ currentTarget: button }) => {
  if (board.live.state === "offline") return say("Undo needs the line. Try again when it is back.");
  button.disabled = true;
  try {
    await undo.run();
    say("");
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
    button.focus();
  }
});

// The browser.

let hidden;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (!board) return;
  if (document.hidden) hidden = setTimeout(() => board.live.stop(), HIDDEN_MS);
  else void board.live.start();
});
addEventListener("online", () => board?.live.wake());
addEventListener("beforeunload", (event) => session.user() && board?.unsent && event.preventDefault());

if (session.user()) enter();
else show("door");
