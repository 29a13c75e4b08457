// What the pages of the account are nicer with: buttons that copy and print, and a strip of pages that begins at the one
// that is shown.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) {
    button.hidden = true; // not over http
    continue;
  }
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText);
    button.textContent = button.dataset.copied;
  });
}

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());

const strip = document.querySelector(".side"), current = document.querySelector(".side [aria-current]");
if (strip && current) {
  strip.scrollLeft += current.getBoundingClientRect().left - (strip.clientWidth - current.clientWidth) / 2;
}
