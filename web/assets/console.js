// What the console is without, and nicer with: lists that follow what is typed, and buttons that copy. Every page works
// without it.
"use strict";

for (const form of document.querySelectorAll("form[data-live]")) {
  let timer, asked = 0;
  const follow = async () => {
    const mine = ++asked;
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form));
    let answer;
    try {
      answer = await fetch(address);
    } catch {
      return; // the button is still there
    }
    if (!answer.ok || answer.redirected || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("#found");
    if (!found || mine !== asked) return;
    document.querySelector("#found").replaceWith(found);
    const [before, after] = [document, page].map((d) => d.querySelector(".pager"));
    before?.remove();
    if (after) found.after(after);
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(follow, 200);
  });
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue; // not over http
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = button.dataset.copied;
  });
}
