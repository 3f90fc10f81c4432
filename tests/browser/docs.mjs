// The API's page: its forms ask what they say, and show what is answered.
import assert from "node:assert/strict";
import test from "node:test";

import { input, open, picture, visit } from "./browser.mjs";

/** The form of an operation, unfolded. */
async function form(page, method, path) {
  const found = page.locator(`form.try[data-method=${method}][data-path="${path}"]`);
  await page.locator("details.operation", { has: found }).locator("summary").click();
  await found.waitFor({ state: "visible" });
  return found;
}

/** What a form shows after its button was pressed: request, status, body. */
async function tried(shape) {
  await shape.locator("button").click();
  const shown = shape.locator("pre");
  await shown.filter({ hasText: /\n\d{3} / }).waitFor({ state: "visible" });
  const [request, status, , ...body] = (await shown.innerText()).split("\n");
  return { request, status, body: JSON.parse(body.join("\n")) };
}

// Broken by: a form that leaves out a parameter of path or query.
test("an operation with parameters can be tried", () =>
  visit({}, async (page) => {
    await open(page, "/docs");
    const events = await form(page, "get", "/v1/accounts/{account}/events");
    await events.locator("input[name=account]").fill(input.account);
    await events.locator("input[name=limit]").fill("1");
    const answer = await tried(events);
    assert.equal(answer.request, `GET /v1/accounts/${input.account}/events?limit=1`);
    assert.match(answer.status, /^200/);
    assert.equal(answer.body.rows.length, 1);
    await events.scrollIntoViewIfNeeded();
    await picture(page, "docs-tried");
  }));

// Broken by: sending an unfinished path.
test("an operation without what its path needs is not sent", () =>
  visit({}, async (page) => {
    await open(page, "/docs");
    const account = await form(page, "get", "/v1/accounts/{account}");
    await account.locator("button").click();
    assert.equal(await account.locator("input[name=account]:invalid").count(), 1);
    assert.ok(await account.locator("pre").isHidden());
  }));

// Broken by: a form that hides the problem behind a failed request.
test("a body that is no event shows the problem", () =>
  visit({}, async (page, expect) => {
    await open(page, "/docs");
    const submit = await form(page, "post", "/v1/events");
    const attempts = [["garbage", 400], ['{"event": "00"}', 422]];
    for (const [text, status] of attempts) {
      expect(status, "/v1/events");
      await submit.locator("textarea").fill(text);
      const waited = page.waitForResponse((it) => it.request().method() === "POST");
      const [answer] = [await tried(submit), await waited];
      assert.match(answer.status, new RegExp(`^${status}`), JSON.stringify(answer.body));
      assert.match(answer.body.type, /^urn:ddt:problem:/);
      assert.ok(answer.body.detail.length > 10);
    }
  }));

// Broken by: a page that waits for the end of a stream.
test("the stream is explained, not waited for", () =>
  visit({}, async (page) => {
    await open(page, "/docs");
    const live = await form(page, "get", "/v1/live");
    await live.locator("button").click();
    assert.match(await live.locator("pre").innerText(), /curl -N http/);
  }));
