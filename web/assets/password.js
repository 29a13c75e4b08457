// What a field for a password is nicer with: a button that shows what was typed, and a meter of how hard it is to guess.
// Nothing of it leaves the page; what the server says of a password counts.

for (const button of document.querySelectorAll("[data-show]")) {
  const field = document.getElementById(button.dataset.show);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
  };
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  field.form.addEventListener("submit", () => show(false)); // or browsers would keep it as they keep other text
}

const rows = [
  "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "yxcvbnm", "zxcvbnm",
];
const common =
  /passw[o0]rd|passwort|letmein|welcome|iloveyou|sunshine|princess|football|baseball|dragon|monkey|master|secret|shadow|admin|login|hello/g;

const follows = (a, b) =>
  a === b || rows.some((row) => row.includes(a + b) || row.includes(b + a));

// rate estimates from 0 to 4 how hard a password is to guess, where these parts of it are known of the person.
function rate(password, known) {
  let bits = 0;
  const count = (pattern, each) => {
    rest = rest.replace(pattern, () => ((bits += each), "\n"));
  };
  let rest = password.toLowerCase();
  for (const part of known) rest = rest.replaceAll(part, "\n");
  count(common, 7);
  count(/(19|20)\d\d/g, 6);
  const seen = [...rest].filter((c) => c !== "\n");
  let kinds = 0;
  for (const [pattern, size] of [[/[a-z]/, 26], [/[A-Z]/, 26], [/\d/, 10], [/[^a-zA-Z\d]/, 33]]) {
    if (pattern.test(password)) kinds += size;
  }
  seen.forEach((c, i) => (bits += i > 0 && follows(seen[i - 1], c) ? 1 : Math.log2(kinds)));
  const score = [28, 40, 52, 68].filter((least) => bits >= least).length;
  return password.length < 8 ? Math.min(score, 1) : score;
}

for (const meter of document.querySelectorAll("[data-strength]")) {
  const field = document.getElementById(meter.dataset.strength);
  const bars = meter.querySelectorAll(".bars > span"), words = meter.querySelector(".words");
  field.addEventListener("input", () => {
    const others = [...field.form.elements].filter((e) => e !== field && /^(text|email)$/.test(e.type));
    const known = others.flatMap((e) => e.value.toLowerCase().split(/[^\p{L}\d]+/u)).filter((part) => part.length > 2);
    const score = field.value ? rate(field.value, known) : -1;
    meter.classList.toggle("bad", score >= 0 && score < 2);
    bars.forEach((bar, i) => bar.classList.toggle("on", score >= 0 && i < Math.max(1, score)));
    words.textContent = score < 0 ? "" : meter.getAttribute("data-words-" + score);
  });
}
