// What the console is without, and nicer with: lists that follow what is typed, a search from anywhere, and buttons that
// copy. Every page works without it.
"use strict";

// follow calls show with what the form leads to, each time that somebody has stopped typing into it; only the last
// answer counts.
function follow(form, show) {
  let timer, asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(address);
      if (!answer.ok || answer.redirected) return; // the button is still there
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === asked) show(page, address);
    } catch {} // likewise
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 200);
  });
}

for (const form of document.querySelectorAll("form[data-live]")) {
  follow(form, (page, address) => {
    const found = page.querySelector("#found"), after = page.querySelector(".pager");
    document.querySelector("#found").replaceWith(found);
    document.querySelector(".pager")?.remove();
    if (after) found.after(after);
    history.replaceState(null, "", address);
  });
}

const find = document.querySelector(".find");
if (find) {
  const field = find.querySelector("input"), found = find.querySelector(".found");
  const close = () => (found.hidden = true);
  follow(find, (page) => {
    found.replaceChildren(...page.querySelector("#found").childNodes);
    found.hidden = field.value.trim() === "";
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape") {
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && find.contains(event.target)) {
      const stops = [field, ...found.querySelectorAll("a")];
      const next = stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
      if (!found.hidden && stops[next]) {
        event.preventDefault();
        stops[next].focus();
      }
    }
  });
  document.addEventListener("focusin", (event) => find.contains(event.target) || close());
  document.addEventListener("click", (event) => find.contains(event.target) || close());
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue; // not over http
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = button.dataset.copied;
  });
}
