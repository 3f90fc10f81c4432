// Keeps the first page's figures fresh: a commit is announced, then the status is read.
const figures = document.querySelectorAll("[data-figure]");

async function refresh() {
  const answers = await Promise.all(["/v1/status", "/v1/economy?limit=1"].map((url) => fetch(url)));
  if (!answers.every((answer) => answer.ok)) return;
  const [status, economy] = await Promise.all(answers.map((answer) => answer.json()));
  const known = {
    anchor: status.anchor,
    time: new Date(status.time).toISOString().slice(0, 19).replace("T", " "),
    events: status.events,
    accounts: status.accounts,
    supply: economy.supply,
    pool: economy.pool,
    value_index: economy.value_index,
  };
  for (const figure of figures) {
    const value = known[figure.dataset.figure];
    if (value !== undefined) (figure.querySelector("a, time") ?? figure).textContent = value;
  }
}

if (figures.length > 0) {
  const live = new EventSource("/v1/live?topics=anchors");
  live.addEventListener("anchor", refresh);
  live.addEventListener("resync", refresh);
}
