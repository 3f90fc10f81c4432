// The explorer and the wallet's pages in a real browser. `.ci/browser` starts a network, puts something into its
// ledger, and runs this with what it needs to know in DDT_BROWSER, as JSON.
import { after } from "node:test";

import { close } from "./browser.mjs";
import "./pages.mjs";
import "./search.mjs";
import "./appearance.mjs";
import "./docs.mjs";
import "./wallet.mjs";

after(close);
