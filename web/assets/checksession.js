// Answers pages of apps that ask whether the person is still signed in: OpenID Connect Session Management, section 3.2.
// The question is "client_id session_state"; the answer is "unchanged", "changed" or "error".

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const browserState = () => {
  const found = document.cookie.match(/(?:^|; )(?:__Host-)?wicket_browser_state=([^;]*)/);
  return found ? found[1] : "";
};

const answer = async (question, origin) => {
  const parts = typeof question === "string" && question.length < 1000 ? question.match(/^(\S+) ([0-9a-f]{64})\.(\S+)$/) : null;
  if (!parts) {
    return "error";
  }
  const [, clientID, digest, salt] = parts;
  const text = [clientID, origin, browserState(), salt].join(" ");
  const computed = hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return computed === digest ? "unchanged" : "changed";
};

addEventListener("message", async (event) => {
  if (event.source && event.source !== window && event.origin !== "null") {
    event.source.postMessage(await answer(event.data, event.origin).catch(() => "error"), event.origin);
  }
});
