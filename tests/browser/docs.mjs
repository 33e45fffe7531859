// What somebody does at /docs on a telephone: signs in, opens operations, tries them out.
import { tell } from "./browser.mjs";

await tell(
  async (page, { token }) => {
    const told = { errors: [], overflow: [], sent: [] };
    page.on("pageerror", (error) => told.errors.push(error.message));
    page.on("request", (request) => {
      const { pathname, search } = new URL(request.url());
      if (!pathname.includes("/api/")) return;
      const { authorization, "idempotency-key": key } = request.headers();
      told.sent.push({ method: request.method(), path: pathname + search, authorization, key });
    });

    const measure = async () => {
      const beyond = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
      told.overflow.push(await page.evaluate(beyond));
    };
    const open = async (operation) => {
      const block = page.locator(`[id$="-${operation}"]`);
      await block.locator(".opblock-summary-control").click();
      await block.locator(".errors-button").waitFor();
      return block;
    };
    const execute = async (block) => {
      const answer = page.waitForResponse((response) => response.url().includes("/api/"));
      await block.locator(".execute").click();
      return (await answer).status();
    };
    const statuses = (block) => block.locator("tr.response td.response-col_status").allTextContents();

    await page.locator("[id$=-list_tasks]").waitFor();
    await measure();

    await page.locator(".btn.authorize").first().click();
    told.advice = await page.locator(".auth-container").textContent();
    await measure();
    await page.locator(".auth-container input").fill(`Bearer ${token}`);
    await page.locator(".auth-container button[type=submit]").click();
    await page.locator(".auth-container .btn-done").click();

    const create = await open("create_task");
    told.folded = await statuses(create);
    told.button = await create.locator(".errors-button").textContent();
    await create.locator(".errors-button").focus();
    await page.keyboard.press("Enter");
    told.unfolded = await statuses(create);
    told.expanded = await create.locator(".errors-button").getAttribute("aria-expanded");
    await measure();

    await create.locator(".try-out__btn").click();
    told.created = [await execute(create), await execute(create)];
    await measure();

    const list = await open("list_tasks");
    await list.locator(".try-out__btn").click();
    told.listed = await execute(list);
    await list.locator(".live-responses-table").waitFor();
    told.found = JSON.parse(await list.locator(".live-responses-table .response-col_description pre").first()
      .textContent()).total;
    await measure();

    for (const operation of ["complete_task", "change_tasks"]) {
      const block = await open(operation);
      await block.locator(".try-out__btn").click();
      told[operation] = await execute(block);
    }
    await measure();
    return told;
  },
  { viewport: { width: 390, height: 844 } },
);
