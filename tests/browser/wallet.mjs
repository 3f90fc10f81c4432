// The wallet's pages: let in, unlocked, a payment seen final, locked; without scripts, on a
// telephone, dark and light.
import assert from "node:assert/strict";
import test from "node:test";

import { CONTRAST_MIN, faint } from "./appearance.mjs";
import { api, input, picture, requireStrict, visit } from "./browser.mjs";

const { origin } = new URL(input.wallet);
const PLACES = ["Overview", "Send", "Receive", "History", "Any event"];

/** Visits the wallet's pages; whether their browser runs scripts must not matter. */
const wallet = (options, body) => visit({ baseURL: origin, ...options }, body);

const heading = (page) => page.locator("h1").innerText();

/** Presses something that leads to a page with this heading. */
async function press(page, locator, title) {
  await locator.click();
  await page.locator("h1", { hasText: title }).waitFor();
}

/** Opens the printed address, and a wallet. */
async function unlock(page, name = "alice") {
  const answer = await page.goto(input.wallet);
  assert.equal(answer.status(), 200);
  requireStrict(answer.headers()["content-security-policy"], answer.url());
  assert.ok(!page.url().includes("token"), "the token stays in the address line");
  if ((await heading(page)) === "Overview") await press(page, page.getByText("Lock"), "Unlock");
  await page.selectOption("#wallet", name);
  await page.fill("#password", input.password);
  await press(page, page.getByRole("button", { name: "Unlock" }), "Overview");
}

const go = (page, name) =>
  press(page, page.locator("header nav a", { hasText: name }), name);

for (const javaScriptEnabled of [true, false]) {
  // Broken by: anything that needs a script, a result that does not look again, or a wrong sum.
  test(`a payment is made and seen final, scripts ${javaScriptEnabled ? "on" : "off"}`, () =>
    wallet({ javaScriptEnabled }, async (page) => {
      await unlock(page);
      const bob = input.receiver;
      const before = Number((await api(`/v1/accounts/${bob}`)).balance);
      await go(page, "Send");
      await page.fill("#to", "bob");
      await page.fill("#amount", "1.25");
      await page.fill("#memo", input.memo);
      await press(page, page.getByRole("button", { name: "Review" }), "Review");
      const words = await page.locator("main").innerText();
      for (const part of [`Pay 1.25 APT to ${bob}`, input.memo, "fee", "done"]) {
        assert.ok(words.includes(part), `${part}: ${words}`);
      }
      await press(page, page.getByRole("button", { name: "Sign and send" }), "Result");
      await page.locator("#stage", { hasText: /final|proven/ }).waitFor();
      assert.match(await page.locator("dl").innerText(), /outcome\s+done/);
      assert.equal(Number((await api(`/v1/accounts/${bob}`)).balance), before + 1.25);
      // Back to the review and again: the same result, no second payment.
      const link = await page.locator("dl a").getAttribute("href");
      assert.ok(link.startsWith(`${input.api}/event/`), link);
      await page.goBack();
      await page.goto(page.url());
      await page.locator("#stage, h1").first().waitFor();
      assert.equal(Number((await api(`/v1/accounts/${bob}`)).balance), before + 1.25);
      await go(page, "History");
      assert.match(await page.locator("tbody tr").first().innerText(), /bank\.transfer.*−1\.25/s);
      await press(page, page.getByText("Lock"), "Unlock");
    }));
}

// Broken by: a cookie that scripts or other sites get, or that is sent to other pages.
test("the cookie is for these pages alone", () =>
  wallet({}, async (page) => {
    await unlock(page);
    const [cookie, ...others] = await page.context().cookies();
    assert.equal(others.length, 0);
    const { httpOnly, sameSite, path, expires } = cookie;
    assert.deepEqual({ httpOnly, sameSite, expires }, { httpOnly: true, sameSite: "Strict", expires: -1 });
    assert.ok(path.length > 30 && new URL(page.url()).pathname.startsWith(`${path}/`), path);
    assert.equal(await page.evaluate(() => document.cookie), "");
  }));

// Broken by: a wrong password that is not told, or told without a way on.
test("a wrong password is told", () =>
  wallet({}, async (page, expect) => {
    await unlock(page);
    await press(page, page.getByText("Lock"), "Unlock");
    expect(403, "/unlock");
    expect(429, "/unlock");
    await page.fill("#password", "wrong");
    await page.getByRole("button", { name: "Unlock" }).click();
    const notice = page.locator("[role=alert]");
    await notice.filter({ hasText: "the password is wrong" }).waitFor();
    await picture(page, "wallet-wrong-password");
    for (;;) {
      await page.selectOption("#wallet", "alice");
      await page.fill("#password", input.password);
      await page.getByRole("button", { name: "Unlock" }).click();
      await page.waitForLoadState();
      if ((await heading(page)) === "Overview") break;
      assert.match(await notice.innerText(), /wait \d+ s/);
    }
  }));

/** Walks through the pages; calls `look` on each with a name for its picture. */
async function walk(page, look) {
  await unlock(page);
  for (const place of PLACES) {
    await go(page, place);
    await look(place.toLowerCase().replace(" ", "-"));
  }
  await go(page, "Send");
  await page.fill("#to", input.account);
  await page.fill("#amount", "0.000000001");
  await page.fill("#memo", "x".repeat(120));
  await press(page, page.getByRole("button", { name: "Review" }), "Review");
  await look("review");
  await press(page, page.getByRole("button", { name: "Sign and send" }), "Result");
  await page.locator("#stage", { hasText: /final|proven/ }).waitFor();
  await look("result");
  await go(page, "Any event");
  await press(page, page.getByText("bank.batch", { exact: true }), "bank.batch");
  await look("event");
  await press(page, page.getByText("Lock"), "Unlock");
  await look("unlock");
}

for (const colorScheme of ["dark", "light"]) {
  // Broken by: a colour that is set for one scheme only.
  test(`every text of the wallet can be read in the ${colorScheme} scheme`, () =>
    wallet({ colorScheme }, (page) =>
      walk(page, async (name) => {
        const { count, found } = await page.evaluate(faint, CONTRAST_MIN);
        assert.ok(count > 5, name);
        assert.deepEqual(found, [], name);
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const brightness = Math.max(...ground.match(/\d+/g).slice(0, 3).map(Number));
        assert.equal(brightness < 128, colorScheme === "dark", `${name}: ${ground}`);
        await picture(page, `wallet-${colorScheme}-${name}`);
      })));
}

// Broken by: an account id, a table or a form that is wider than a small telephone.
test("a telephone shows the wallet without scrolling sideways", () => {
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
  return wallet(phone, (page) =>
    walk(page, async (name) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${name} is ${width} pixels wide`);
      await picture(page, `wallet-phone-${name}`);
    }));
});
