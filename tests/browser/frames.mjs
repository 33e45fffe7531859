// Which pages show their style, and which ones a page of another origin can hold in a frame.
import { tell } from "./browser.mjs";

await tell(async (page, { api, paths }) => {
  const told = { styled: {}, framed: {} };
  for (const path of paths.split(" ")) {
    const frame = await page.evaluateHandle((url) => new Promise((loaded) => {
      const frame = document.createElement("iframe");
      frame.onload = () => loaded(frame);
      frame.src = url;
      document.body.append(frame);
    }), api + path);
    told.framed[path] = await (await frame.contentFrame()).evaluate(() => location.protocol);
  }
  for (const path of paths.split(" ")) {
    await page.goto(api + path);
    told.styled[path] = await page.evaluate(() => getComputedStyle(document.body).fontFamily);
  }
  return told;
});
