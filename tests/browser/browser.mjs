// The browser, and pages that remember what they loaded and what went wrong on them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";

/** What `.ci/browser` says about the network; its fields are listed there. */
export const input = JSON.parse(process.env.DDT_BROWSER);

const WAIT_MS_MAX = 20_000;
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-proxy-server",
  // Whatever else a page or the browser itself may ask for, it does not get out.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

const { chromium } = createRequire(path.join(input.modules, "/"))("playwright-core");
const browser = await chromium.launch({ executablePath: input.chromium, args: ARGUMENTS });

/** Ends the browser. */
export const close = () => browser.close();

/** Every kind of page, by a name for screenshots. */
export const places = {
  home: "/",
  anchors: "/anchors",
  anchor: `/anchor/${input.height}`,
  events: "/events",
  event: `/event/${input.event}`,
  account: `/account/${input.account}`,
  domain: `/domain/${input.domain}`,
  zones: "/zones",
  zone: "/zone/0",
  routers: "/routers",
  economy: "/economy",
  docs: "/docs",
};

/** Runs the command line against the network. */
export async function ddt(...words) {
  const { stdout } = await promisify(execFile)(input.ddt, [...words, "--yes", "--json"]);
  return JSON.parse(stdout).data;
}

/** What the public API answers. */
export async function api(url) {
  const answer = await fetch(input.api + url);
  assert.equal(answer.status, 200, url);
  return answer.json();
}

/**
 * Calls `body` with a fresh page. Afterwards, nothing may have been asked of another origin,
 * and nothing may have gone wrong but the failed requests that `body` calls expected.
 */
export async function visit(options, body) {
  const home = options.baseURL ?? input.api;
  const context = await browser.newContext({ ...options, baseURL: home });
  context.setDefaultTimeout(WAIT_MS_MAX);
  const asked = [];
  const wrong = [];
  const expected = [];
  context.on("request", (request) => asked.push(request.url()));
  context.on("weberror", (error) => wrong.push(`uncaught: ${error.error()}`));
  context.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    wrong.push(`${message.location().url}: ${message.text()}`);
  });
  try {
    const page = await context.newPage();
    const expect = (status, url) => expected.push([`status of ${status} `, url]);
    await body(page, expect);
    const isOwn = (url) => new URL(url).origin === new URL(home).origin;
    assert.deepEqual(asked.filter((url) => !isOwn(url)), [], "requests to other origins");
    const isExpected = (words) => expected.some((parts) => parts.every((it) => words.includes(it)));
    assert.deepEqual(wrong.filter((words) => !isExpected(words)), [], "errors in the console");
    assert.ok(asked.length > 0);
  } finally {
    await context.close();
  }
}

/** Opens a page of the node, which must answer 200 with a strict policy. */
export async function open(page, url) {
  const answer = await page.goto(url);
  assert.equal(answer.status(), 200, url);
  requireStrict(answer.headers()["content-security-policy"], url);
  return answer;
}

/** Nothing from elsewhere, nothing inline. */
export function requireStrict(policy = "", url) {
  const rules = new Map(policy.split(";").map((rule) => {
    const [name, ...sources] = rule.trim().split(/\s+/);
    return [name, sources];
  }));
  const [none, own] = ["'none'", "'self'"];
  const bounds = { "default-src": [none], "base-uri": [none], "frame-ancestors": [none] };
  for (const [name, sources] of Object.entries({ ...bounds, "form-action": [own] })) {
    assert.deepEqual(rules.get(name), sources, `${url}: ${name} in ${policy}`);
  }
  const allowed = [...rules.values()].flat().filter((source) => ![none, own].includes(source));
  assert.deepEqual(allowed, [], `${url}: ${policy}`);
}

/** Keeps a picture of the page, when somebody wants to look at them. */
export async function picture(page, name) {
  if (!input.pictures) return;
  await page.screenshot({ path: path.join(input.pictures, `${name}.png`), fullPage: true });
}
