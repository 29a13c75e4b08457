// Passkeys and security keys. A form with data-webauthn holds the question that the server asks, as JSON; what the
// authenticator answers goes into its field "response", and the form is sent as any other.

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// For browsers that cannot read JSON themselves: PublicKeyCredential.parseRequestOptionsFromJSON and its kin.
const descriptors = (list) => (list || []).map((item) => ({ ...item, id: decode(item.id) }));
const readGet = (o) =>
  PublicKeyCredential.parseRequestOptionsFromJSON?.(o) ??
  { ...o, challenge: decode(o.challenge), allowCredentials: descriptors(o.allowCredentials) };
const readCreate = (o) =>
  PublicKeyCredential.parseCreationOptionsFromJSON?.(o) ?? {
    ...o,
    challenge: decode(o.challenge),
    user: { ...o.user, id: decode(o.user.id) },
    excludeCredentials: descriptors(o.excludeCredentials),
  };

const write = (credential) => {
  if (credential.toJSON) return credential.toJSON();
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = encode(credential.response[name]);
  }
  response.transports = credential.response.getTransports?.() ?? [];
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
};

// The words are those of the page's language: it holds them.
const words = { NotAllowedError: "wordsCancelled", InvalidStateError: "wordsListed", SecurityError: "wordsAddress" };

let waiting; // for autofill; a button takes over

async function ask(form, mediation) {
  const options = JSON.parse(form.dataset.options).publicKey;
  waiting?.abort();
  waiting = new AbortController();
  const request = { mediation, signal: waiting.signal };
  const credential =
    form.dataset.webauthn === "create"
      ? await navigator.credentials.create({ publicKey: readCreate(options), signal: waiting.signal })
      : await navigator.credentials.get({ publicKey: readGet(options), ...request });
  form.elements.namedItem("response").value = JSON.stringify(write(credential));
  HTMLFormElement.prototype.submit.call(form);
}

for (const form of document.querySelectorAll("form[data-webauthn]")) {
  const button = form.querySelector("[data-ask]");
  const failure = form.querySelector("[data-failure]");
  if (!window.PublicKeyCredential || !button) {
    for (const part of form.querySelectorAll("[data-scripted]")) part.hidden = true;
    continue;
  }
  button.addEventListener("click", async () => {
    failure.hidden = true;
    try {
      await ask(form);
    } catch (error) {
      if (error.name === "AbortError") return;
      failure.textContent = form.dataset[words[error.name]] ?? form.dataset.wordsFailed + " " + error.message;
      failure.hidden = false;
    }
  });
  if ("autofill" in form.dataset && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    ask(form, "conditional").catch(() => {}); // whoever wants to be told presses the button
  }
}

// Whether a passkey may be offered after a password.
const able = document.getElementById("able");
if (able && (await window.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable())) {
  able.value = "yes";
}
