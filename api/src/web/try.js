// Sends what a form on the API's page describes, and shows the answer beside it.
async function send(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const request = { method: form.dataset.method.toUpperCase() };
  for (const field of form.elements) {
    const value = field.value;
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    if (field.dataset.in === "query" && value !== "") query.set(field.name, value);
    if (field.dataset.in === "body") {
      request.body = value;
      request.headers = { "Content-Type": "application/json" };
    }
  }
  const url = query.size > 0 ? `${path}?${query}` : path;
  const answer = await fetch(url, request);
  const text = await answer.text();
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Some answers are plain text.
  }
  return `${request.method} ${url}\n${answer.status} ${answer.statusText}\n\n${shown}`;
}

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("pre");
    output.hidden = false;
    if (form.dataset.path === "/v1/live") {
      output.textContent = `A stream that does not end; open it with: curl -N ${location.origin}/v1/live`;
      return;
    }
    // Not the last answer: it would seem to be this one's.
    output.textContent = "…";
    output.textContent = await send(form).catch((error) => String(error));
  });
}
