// A page in a real Chromium, for as long as `story(page)` takes; prints what that returns as JSON.
// Fails when the Content-Security-Policy of any page refused something, from the first byte on.
import { chromium } from "playwright-core";

export async function tell(story, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    const context = await browser.newContext(options);
    const violations = [];
    await context.exposeFunction("violated", (what) => violations.push(what));
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) =>
        window.violated(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
    });
    const page = await context.newPage();
    await page.goto(process.env.PAGE_URL);
    console.log(JSON.stringify(await story(page, JSON.parse(process.env.STORY))));
    if (violations.length > 0) throw new Error(`refused by the policy: ${violations.join(", ")}`);
  } finally {
    await browser.close();
  }
}
