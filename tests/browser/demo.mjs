// What people do at /demo: alone, in two tabs, over a line that breaks, and at the same task.
import { lineTo } from "./line.mjs";
import { tell } from "./browser.mjs";

const ANN = { email: "ann@example.com", password: "correct horse battery staple" };

const titles = (page) => page.locator("#list .title").allTextContents();
const edit = (page, title) => page.getByRole("button", { name: `Edit ${title}`, exact: true });
const remove = (page, title) => page.getByRole("button", { name: `Delete ${title}`, exact: true });
const box = (page, title) => page.getByRole("checkbox", { name: `Completed: ${title}`, exact: true });
const undo = (page) => page.getByRole("button", { name: "Undo", exact: true });
const redo = (page) => page.getByRole("button", { name: "Redo", exact: true });
const line = (page, state) => page.locator(`#line[data-state=${state}]`).waitFor();
const said = (page, words) => page.locator("#undo p", { hasText: words }).waitFor();

async function knock(page, how, password = ANN.password) {
  await page.getByLabel("Email").fill(ANN.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: how }).click();
}

async function enter(page, how = "Register", password = ANN.password) {
  await knock(page, how, password);
  await line(page, "live");
}

async function add(page, ...names) {
  for (const name of names) {
    await page.getByLabel("New task").fill(name);
    await page.keyboard.press("Enter");
    await edit(page, name).waitFor();
    await said(page, `Added “${name}”`);
  }
}

async function rename(page, from, to) {
  await edit(page, from).click();
  await page.getByRole("textbox", { name: "Title", exact: true }).fill(to);
  await page.keyboard.press("Enter");
}

/** Another tab of the same browser, where the same user is logged in. */
async function anotherTab(page) {
  const other = await page.context().newPage();
  await other.goto(page.url());
  await line(other, "live");
  return other;
}

const SCENES = {
  async alone(page) {
    const lists = {};
    await enter(page);
    await add(page, "Buy milk", "Ring the dentist", "Pay the rent");
    lists.added = await titles(page);

    await box(page, "Buy milk").check();
    await said(page, "Completed “Buy milk”");
    await page.getByLabel("Open").check();
    lists.open = await titles(page);
    await page.getByLabel("Completed", { exact: false }).first().check();
    lists.completed = await titles(page);
    await page.getByLabel("All").check();
    await page.getByLabel("Search").fill("DENT ring");
    lists.found = await titles(page);
    await page.getByLabel("Search").fill("");

    await rename(page, "Buy milk", "Buy oat milk");
    await said(page, "Renamed to “Buy oat milk”");
    await undo(page).click();
    await edit(page, "Buy milk").waitFor();
    await redo(page).click();
    await edit(page, "Buy oat milk").waitFor();
    lists.renamed = await titles(page);

    await remove(page, "Ring the dentist").click();
    await said(page, "Deleted “Ring the dentist”");
    await page.reload();
    await edit(page, "Pay the rent").waitFor();
    lists.deleted = await titles(page);
    await undo(page).click();
    await edit(page, "Ring the dentist").waitFor();
    await page.reload();
    await edit(page, "Pay the rent").waitFor();
    lists.undone = await titles(page);
    await redo(page).click();
    await edit(page, "Ring the dentist").waitFor({ state: "detached" });
    lists.redone = await titles(page);

    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Email").waitFor();
    await page.reload();
    await enter(page, "Log in");
    await edit(page, "Pay the rent").waitFor();
    lists.again = await titles(page);
    return lists;
  },

  async together(page) {
    await enter(page);
    const other = await anotherTab(page);
    await add(page, "Buy milk");
    await edit(other, "Buy milk").waitFor();
    await other.locator("#news", { hasText: "Added elsewhere: Buy milk" }).waitFor({ state: "attached" });
    await other.evaluate(() => (document.querySelector("#news").textContent = ""));
    await box(other, "Buy milk").check();
    await page.locator("li.completed", { hasText: "Buy milk" }).waitFor();
    const heard = page.locator("#news", { hasText: "Changed elsewhere: Buy milk" });
    await heard.waitFor({ state: "attached" });
    await remove(other, "Buy milk").click();
    await edit(page, "Buy milk").waitFor({ state: "detached" });
    await undo(other).click();
    await edit(page, "Buy milk").waitFor();

    // What a tab did itself is no news to it.
    const news = await other.locator("#news").textContent();
    await page.getByRole("button", { name: "Log out" }).click();
    await other.getByLabel("Email").waitFor();
    const sentence = await other.locator("#door .problem").textContent();
    return { news, sentence };
  },

  async broken(page) {
    const direct = page.url();
    const wire = await lineTo(direct);
    await page.goto(`${wire.origin}/demo`);
    await enter(page);
    await add(page, "Buy milk", "Pay the rent");
    const token = await page.evaluate(() => JSON.parse(localStorage["todo-demo:session"]).token);

    wire.loseAnAnswer();
    await add(page, "Ring the dentist");

    wire.cut();
    await line(page, "offline");
    const offline = await page.locator("#line").textContent();
    await page.getByLabel("New task").fill("Water the plants");
    await page.keyboard.press("Enter");
    await box(page, "Buy milk").check();
    await remove(page, "Pay the rent").click();
    const meanwhile = await titles(page);
    await page.locator("#line", { hasText: "3 are not sent yet." }).waitFor();
    const unsent = await page.locator(".waiting:not([hidden])").count();
    const headers = { authorization: `Bearer ${token}` };
    const tasksOf = new URL("/api/me/tasks", direct).href;
    const elsewhere = await page.request.post(tasksOf, { headers, data: { title: "By others" } });

    await wire.restore();
    await line(page, "live");
    await edit(page, "By others").waitFor();
    await page.locator("#list:not(:has(.waiting:not([hidden])))").waitFor();
    const list = await page.request.get(`${tasksOf}?order=asc`, { headers });
    const tasks = (await list.json()).tasks.map(({ title, completed }) => [title, completed]);
    const shown = await titles(page);
    wire.cut();
    return { offline, meanwhile, unsent, elsewhere: elsewhere.status(), tasks, shown };
  },

  async reloaded(page) {
    await enter(page);
    const creation = (url) => url.pathname.endsWith("/api/me/tasks");
    await page.route(creation, (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
    await page.getByLabel("New task").fill("Buy milk");
    await page.keyboard.press("Enter");
    await page.locator(".waiting:not([hidden])").waitFor();
    await page.waitForFunction(() => Object.entries(sessionStorage).some(([, kept]) => kept.includes("Idempotency-Key")));
    await page.unroute(creation);

    await page.reload();
    await said(page, "Added “Buy milk”"); // by itself: nothing else is done that would send it
    await page.locator("#list:not(:has(.waiting:not([hidden])))").waitFor();
    const token = await page.evaluate(() => JSON.parse(localStorage["todo-demo:session"]).token);
    const headers = { authorization: `Bearer ${token}` };
    const list = await page.request.get(new URL("/api/me/tasks", page.url()).href, { headers });
    return { tasks: (await list.json()).tasks.map(({ title }) => title), shown: await titles(page) };
  },

  async contested(page) {
    const told = {};
    const field = page.getByRole("textbox", { name: "Title", exact: true });
    await enter(page);
    await add(page, "Buy milk");
    const other = await anotherTab(page);

    // Both change the title: nothing is overwritten before somebody chooses.
    await edit(page, "Buy milk").click();
    await field.fill("Buy oat milk");
    await rename(other, "Buy milk", "Buy soy milk");
    const hint = page.locator(".editor .hint", { hasText: "Buy soy milk" });
    await hint.waitFor();
    told.typed = await field.inputValue();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Which title?" }).waitFor();
    await page.getByRole("button", { name: "Yours Buy oat milk" }).click();
    await edit(other, "Buy oat milk").waitFor();

    // One deletes what the other one edits.
    await edit(page, "Buy oat milk").click();
    await field.fill("Buy no milk");
    await remove(other, "Buy oat milk").click();
    await page.locator(".editor .hint", { hasText: "was deleted meanwhile" }).waitFor();
    told.kept = await field.inputValue();
    await page.keyboard.press("Enter");
    await edit(other, "Buy no milk").waitFor();
    await edit(page, "Buy no milk").waitFor();

    // An undo that would take back what somebody else did is refused.
    await box(page, "Buy no milk").check();
    await said(page, "Completed “Buy no milk”");
    await rename(other, "Buy no milk", "Buy tea");
    await edit(page, "Buy tea").waitFor();
    await undo(page).click();
    await page.locator("#refusal p", { hasText: "cannot be undone" }).waitFor();
    told.refused = await page.locator("#refusal p").textContent();
    return told;
  },

  async ended(page) {
    const field = page.getByRole("textbox", { name: "Title", exact: true });
    const token = () => page.evaluate(() => JSON.parse(localStorage["todo-demo:session"]).token);
    await enter(page);
    const first = await token();

    // A token that ends soon is renewed before.
    await page.evaluate(() => {
      const session = JSON.parse(localStorage["todo-demo:session"]);
      localStorage["todo-demo:session"] = JSON.stringify({ ...session, until: Date.now() + 60_000 });
    });
    await add(page, "Buy milk");
    const renewed = await token();

    // A new password revokes all tokens; what is being typed stays.
    await edit(page, "Buy milk").click();
    await field.fill("Buy oat milk");
    await page.request.post(new URL("/api/auth/password", page.url()).href, {
      headers: { authorization: `Bearer ${renewed}` },
      data: { password: ANN.password, new_password: `${ANN.password} again` },
    });
    await page.locator("#door .problem", { hasText: "You were logged out" }).waitFor();
    await knock(page, "Log in");
    const wrong = page.locator("#door .problem", { hasText: "password" });
    const sentence = await wrong.textContent();
    await enter(page, "Log in", `${ANN.password} again`);
    const typed = await field.inputValue();
    await field.press("Enter");
    await said(page, "Renamed to “Buy oat milk”");
    return { isNew: renewed !== first, sentence, typed };
  },

  async byKeyboard(page) {
    const told = { overflow: [], nameless: [] };
    const measure = async () => {
      told.overflow.push(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth));
      told.nameless.push(...(await page.evaluate(nameless)));
    };
    const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.id);
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await measure();
    await page.keyboard.type(ANN.email);
    await press("Tab");
    await page.keyboard.type(ANN.password);
    await press("Tab", "Tab", "Enter"); // past "Log in", to "Register"
    await line(page, "live");
    for (const title of ["Buy milk", "Pay the rent", `A${"n endless".repeat(20)} title`]) {
      await page.keyboard.type(title);
      await press("Enter");
      await edit(page, title).waitFor();
    }
    told.afterAdding = await focused();
    await box(page, "Pay the rent").focus();
    await press("Space");
    await said(page, "Completed “Pay the rent”");
    told.afterTicking = await focused();
    await press("Tab", "Enter");
    await measure();
    await page.keyboard.type("Pay the rent twice");
    await press("Escape");
    told.afterEscape = await focused();
    await press("Enter");
    await page.keyboard.type("Pay no rent");
    await press("Enter");
    await said(page, "Renamed to “Pay no rent”");
    told.afterSaving = await focused();
    await press("Tab", "Enter");
    await said(page, "Deleted “Pay no rent”");
    told.afterDeleting = await focused();
    await undo(page).focus();
    await press("Enter");
    await redo(page).waitFor();
    told.afterUndoing = await page.evaluate(() => document.activeElement.textContent);
    told.outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    await measure();
    return told;
  },
};

/** Controls that a screen reader has no name for. */
function nameless() {
  const named = (control) => control.ariaLabel || control.labels?.[0]?.textContent.trim() || control.textContent.trim();
  const controls = [...document.querySelectorAll("input, button")].filter((control) => control.checkVisibility());
  return controls.filter((control) => !named(control)).map((control) => control.outerHTML);
}

const { scene, ...options } = JSON.parse(process.env.STORY);

await tell(
  async (page) => {
    const errors = [];
    const context = page.context();
    context.on("weberror", (error) => errors.push(error.error().stack));
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) errors.push(message.text());
    });
    await page.reload(); // with somebody who listens
    return { ...(await SCENES[scene](page)), errors };
  },
  { viewport: { width: 390, height: 844 }, ...options },
);
