// Opens PAGE_URL in a real Chromium, runs the page's `story(options)` and prints what it returns as JSON.
import { chromium } from "playwright-core";

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
  const page = await browser.newPage();
  await page.goto(process.env.PAGE_URL);
  const told = await page.evaluate((options) => window.story(options), JSON.parse(process.env.STORY));
  console.log(JSON.stringify(told));
} finally {
  await browser.close();
}
