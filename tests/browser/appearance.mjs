// Small screens, and colours that can be read.
import assert from "node:assert/strict";
import test from "node:test";

import { open, picture, places, visit } from "./browser.mjs";

/** The least contrast of text that WCAG 2.2 calls readable (level AA). */
export const CONTRAST_MIN = 4.5;

/** In the page: texts whose colour is too close to what is behind them. */
export function faint(least) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parts = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [red, green, blue] = parts(colour).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] === 255) return colour;
    }
    return "Canvas";
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  const look = (element, colour, text) => {
    const ratio = contrast(colour, behind(element));
    if (ratio < least) found.push(`${element.tagName} ${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  };
  let count = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const nodes = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = nodes.map((node) => node.textContent.trim()).join("");
    if (text && element.checkVisibility()) {
      look(element, getComputedStyle(element).color, text);
      count += 1;
    }
    if (element.placeholder) {
      look(element, getComputedStyle(element, "::placeholder").color, element.placeholder);
    }
  }
  return { count, found };
}

const openAll = (page) =>
  page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));

for (const colorScheme of ["dark", "light"]) {
  // Broken by: a colour that is set for one scheme only.
  test(`every text can be read in the ${colorScheme} scheme`, () =>
    visit({ colorScheme }, async (page) => {
      for (const [name, url] of Object.entries(places)) {
        await open(page, url);
        await openAll(page);
        const { count, found } = await page.evaluate(faint, CONTRAST_MIN);
        assert.ok(count > 10, url);
        assert.deepEqual(found, [], url);
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const brightness = Math.max(...ground.match(/\d+/g).slice(0, 3).map(Number));
        assert.equal(brightness < 128, colorScheme === "dark", `${url}: ${ground}`);
        if (name !== "docs") await picture(page, `${colorScheme}-${name}`);
      }
    }));
}

// Broken by: a long word, a table or a form that is wider than a small telephone.
test("a telephone shows every page without scrolling sideways", () =>
  visit({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }, async (page) => {
    for (const [name, url] of Object.entries(places)) {
      await open(page, url);
      await picture(page, `phone-${name}`);
      await openAll(page);
      const root = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      assert.equal(root.clientWidth, 360, url);
      assert.ok(root.scrollWidth <= 360, `${url} is ${root.scrollWidth} pixels wide`);
    }
  }));
