// The code of docs/live-updates.md in three tabs; prints what the tabs show. PAGE_URL is the page of a tab that shares.
import { tell } from "./browser.mjs";

await tell(async (tab, { api, token, alone }) => {
  const call = async (method, path, body) => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const response = await fetch(`${api}/api/me${path}`, { method, headers, body: body && JSON.stringify(body) });
    return response.status === 204 ? undefined : response.json();
  };
  const list = async () => (await call("GET", "/tasks?order=asc&limit=1000")).tasks;
  const open = async (url) => {
    const page = await tab.context().newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(url);
    return page;
  };
  const shows = (page, title) => page.waitForFunction((text) => window.titles?.().includes(text), title);
  const shown = (page) => page.evaluate(() => window.tasks());
  const kept = (page) => page.evaluate(() => window.store.all());

  const [told, shared] = [{}, tab.url()];
  const created = await call("POST", "/tasks", { title: "There before" });
  await shows(tab, "There before");
  const other = await open(shared);
  await shows(other, "There before");
  await call("POST", "/tasks", { title: "For both" });
  await call("PATCH", `/tasks/${created.id}`, { title: "There before, changed" });
  for (const page of [tab, other]) await Promise.all([shows(page, "For both"), shows(page, "There before, changed")]);
  told.states = [await tab.evaluate(() => window.states), await other.evaluate(() => window.states)];
  told.both = [await shown(tab), await shown(other), await kept(other), await list()];

  await tab.close();
  await other.waitForFunction(() => window.states.includes("live"));
  const last = await call("POST", "/tasks", { title: "For the other" });
  await shows(other, "For the other");
  await call("DELETE", `/tasks/${created.id}`);
  await other.waitForFunction(() => window.titles().length === 2);
  told.left = [await shown(other), await kept(other), await list()];
  await other.close();

  // The log is read on where the last tab left it; the simple way, and undo.
  const page = await open(alone);
  await page.waitForFunction(() => window.states.includes("live"));
  told.opened = await page.evaluate(() => window.loads);
  told.simple = await page.evaluate(async () => {
    const copy = await window.load();
    window.copy = copy;
    return [...copy.tasks.values()];
  });
  told.list = await list();
  const { revision } = await call("PATCH", `/tasks/${last.id}`, { title: "Changed" });
  await shows(page, "Changed");
  const unit = await page.evaluate((number) => window.undo(number), revision);
  await shows(page, "For the other");
  await page.evaluate((number) => window.undo(number), unit);
  await shows(page, "Changed");
  told.refused = await page.evaluate((number) => window.undo(number).catch((error) => error.message), revision);
  told.caughtUp = await page.evaluate(async () => {
    await window.catchUp(window.copy);
    return [...window.copy.tasks.values()];
  });
  told.end = [await shown(page), await kept(page), await list()];
  told.cleared = await page.evaluate(async () => {
    await window.live.stop();
    await window.store.clear();
    return [await window.store.all(), (await window.store.place()) ?? null];
  });
  await page.close();

  // The tab that signs out is the one that waits for the lock.
  const first = await open(shared);
  await first.waitForFunction(() => window.states.includes("live"));
  const second = await open(shared);
  await shows(second, "Changed");
  await second.evaluate(() => window.signOut());
  const locks = await second.evaluate(() => navigator.locks.query());
  told.signedOut = { kept: [await kept(first), await kept(second)], held: locks.held, pending: locks.pending };
  return told;
});
