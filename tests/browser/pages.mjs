// What every page shows, with and without scripts.
import assert from "node:assert/strict";
import test from "node:test";

import { api, ddt, input, open, picture, places, visit } from "./browser.mjs";

const FIGURES = ["anchor", "events", "accounts", "supply", "pool", "value_index"];

async function shown(page) {
  const texts = await page.locator("[data-figure]").evaluateAll((figures) =>
    figures.map((figure) => [figure.dataset.figure, figure.textContent.trim()]),
  );
  return Object.fromEntries(texts);
}

async function known() {
  const [status, economy] = [await api("/v1/status"), await api("/v1/economy?limit=1")];
  const { anchor, events, accounts, time } = status;
  const { supply, pool, value_index } = economy;
  const moment = new Date(time).toISOString().slice(0, 19).replace("T", " ");
  const figures = { anchor, events, accounts, supply, pool, value_index, time: moment };
  return Object.fromEntries(Object.entries(figures).map(([name, it]) => [name, String(it)]));
}

/** The figures of a page and of the API, of the same anchor: both move while we look. */
async function bothFigures(page) {
  for (;;) {
    const before = await known();
    await page.reload();
    const figures = await shown(page);
    const after = await known();
    if (before.anchor === after.anchor) return [figures, after];
  }
}

// Broken by: a figure of the first page read from elsewhere than the API's.
test("the first page's figures are the API's", () =>
  visit({}, async (page) => {
    await open(page, "/");
    const [figures, figuresOfApi] = await bothFigures(page);
    for (const name of [...FIGURES, "time"]) {
      assert.equal(figures[name], figuresOfApi[name], name);
    }
    await picture(page, "home");
  }));

// Broken by: live.js not listening, or not refreshing.
test("the first page's figures follow the ledger without a reload", () =>
  visit({}, async (page) => {
    await open(page, "/");
    const { events } = await shown(page);
    await ddt("wallet", "send", "1", "carol", "--from", "alice");
    await page.waitForFunction(
      (before) => Number(document.querySelector("[data-figure=events]").textContent) > before,
      Number(events),
    );
  }));

// Broken by: a navigation link to nowhere, or a page without a title of its own.
test("every link of the navigation leads to its page", () =>
  visit({}, async (page) => {
    await open(page, "/");
    const names = await page.locator("header nav a").allTextContents();
    assert.deepEqual(names, ["Anchors", "Events", "Zones", "Routers", "Economy", "API"]);
    for (const name of names) {
      await page.locator("header nav a", { hasText: name }).click();
      await page.waitForURL((url) => url.pathname !== "/");
      assert.equal(await page.locator("h1").innerText(), name);
      assert.match(await page.title(), new RegExp(`^${name} `));
      await page.locator("header a.home").click();
      await page.waitForURL((url) => url.pathname === "/");
    }
  }));

// Broken by: a value that a page has no words for, or text of the ledger taken for markup.
test("every page says what it has to say", () =>
  visit({}, async (page) => {
    for (const [name, url] of Object.entries(places)) {
      await open(page, url);
      const text = await page.locator("main").innerText();
      assert.ok(text.length > 40, `${url}: ${text}`);
      assert.doesNotMatch(text, /undefined|NaN|\[object|Invalid Date/, url);
      assert.equal(await page.locator("h1").count(), 1, url);
      await picture(page, name);
    }
    await open(page, places.event);
    assert.ok((await page.locator("main").innerText()).includes(input.memo));
    assert.equal(await page.locator("main b").count(), 0, "the memo became markup");
  }));

// Broken by: leaving the name empty of what is no event.
test("every receipt of the first page says what it is", () =>
  visit({}, async (page) => {
    await open(page, "/");
    const cells = page.locator("table").last().locator("tbody td:nth-child(2)");
    const names = await cells.allInnerTexts();
    assert.ok(names.length > 4, String(names));
    const isSaid = (name) => /^[a-z_]+\.[a-z_]+$|^(deadline|fees of zone) /.test(name);
    assert.deepEqual(names.filter((name) => !isSaid(name)), []);
    assert.ok(names.includes("bank.transfer") && names.includes("fees of zone 0"), String(names));
  }));

// Broken by: showing anything by script alone.
test("pages work with scripts switched off", () =>
  visit({ javaScriptEnabled: false }, async (page) => {
    await open(page, "/");
    const [figures, figuresOfApi] = [await shown(page), await known()];
    assert.deepEqual(Object.keys(figures).sort(), [...Object.keys(figuresOfApi), "fee"].sort());
    assert.equal(figures.accounts, figuresOfApi.accounts);
    for (const url of Object.values(places)) {
      await open(page, url);
      assert.ok((await page.locator("main").innerText()).length > 40, url);
    }
    await page.locator("input[type=search]").fill(String(input.height));
    await page.locator("form[role=search] button").click();
    await page.waitForURL(`**/anchor/${input.height}`);
    await open(page, "/docs");
    await page.locator("details summary").first().click();
    assert.ok(await page.locator("details[open]").first().isVisible());
  }));
