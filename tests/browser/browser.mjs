// A page in a real Chromium, for as long as `story(page)` takes; prints what that returns as JSON.
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
    const page = await context.newPage();
    await page.goto(process.env.PAGE_URL);
    console.log(JSON.stringify(await story(page, JSON.parse(process.env.STORY))));
  } finally {
    await browser.close();
  }
}
