// Opens PAGE_URL, runs the page's `story(options)` and prints what it returns.
import { tell } from "./browser.mjs";

await tell((page, options) => page.evaluate((given) => window.story(given), options));
