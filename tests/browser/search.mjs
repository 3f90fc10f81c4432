// The search box: what people type leads to the page about it.
import assert from "node:assert/strict";
import test from "node:test";

import { input, open, picture, requireStrict, visit } from "./browser.mjs";

async function search(page, text) {
  await page.locator("input[type=search]").fill(text);
  const answer = page.waitForEvent("response", (it) => it.request().isNavigationRequest());
  await page.locator("input[type=search]").press("Enter");
  await answer;
  await page.waitForLoadState();
}

const found = [
  ["a height", String(input.height), `/anchor/${input.height}`],
  ["an account", input.account, `/account/${input.account}`],
  ["a domain", input.domain, `/domain/${input.domain}`],
  ["a domain with its ending", `${input.domain}.ddt`, `/domain/${input.domain}`],
  ["an event's id", input.event, `/event/${input.event}`],
  ["an event's zone and number", input.number, `/event/${input.event}`],
  ["an anchor's id", input.anchor, `/anchor/${input.height}`],
  ["a text with spaces around it", ` ${input.height} `, `/anchor/${input.height}`],
];

for (const [what, text, path] of found) {
  // Broken by: a kind of name that the search forgets, or a wrong page for it.
  test(`the search finds ${what}`, () =>
    visit({}, async (page) => {
      await open(page, "/");
      await search(page, text);
      await page.waitForURL(`**${path}`);
      assert.equal(await page.locator("h1").count(), 1);
    }));
}

const markup = "<script>alert(1)</script>";
for (const text of ["no such thing!", "not-bought", markup, "f".repeat(64), "999999999"]) {
  // Broken by: an error without a page, without words, or without a way on.
  test(`the search says that it does not find ${text.slice(0, 20)}`, () =>
    visit({}, async (page, expect) => {
      expect(404, "/search?q=");
      await open(page, "/");
      await search(page, text);
      assert.equal(await page.locator("h1").innerText(), "Not Found");
      assert.match(await page.locator("main").innerText(), /Nothing is found.*can be searched/s);
      assert.equal(await page.locator("main script").count(), 0);
      await picture(page, "not-found");
      await page.locator("main a", { hasText: "Back" }).click();
      await page.waitForURL((url) => url.pathname === "/");
    }));
}

// Broken by: an error page without frame or policy.
test("a page of nothing is a page too", () =>
  visit({}, async (page, expect) => {
    const urls = ["/anchor/0", "/anchor/x", "/event/x", "/account/x", "/event/999:1", "/nowhere"];
    for (const url of urls) {
      expect(404, url);
      const answer = await page.goto(url);
      assert.equal(answer.status(), 404, url);
      requireStrict(answer.headers()["content-security-policy"], url);
      assert.ok(await page.locator("header nav").isVisible(), url);
      assert.ok((await page.locator("main p").first().innerText()).length > 10, url);
    }
  }));
