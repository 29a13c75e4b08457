// Daybook Pocket: the authorization code flow with PKCE for a public client (RFC 6749, RFC 7636, RFC 9207), by hand.
// An app of your own would rather use a library, such as oidc-client-ts.
const config = await (await fetch('/spa/config.json')).json();
const at = (id) => document.getElementById(id);
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const decode = (part) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))));

async function call(url, options) {
  const response = await fetch(url, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(`${answer.error ?? response.status}: ${answer.error_description ?? `${url} refused`}`);
  return answer;
}

async function signIn(issuer) {
  const attempt = { state: random(), nonce: random(), verifier: random() };
  sessionStorage.setItem('attempt', JSON.stringify(attempt));
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(attempt.verifier));
  location.assign(`${issuer.authorization_endpoint}?${new URLSearchParams({
    response_type: 'code', client_id: config.client_id, redirect_uri: config.redirect_uri, scope: config.scope,
    state: attempt.state, nonce: attempt.nonce, code_challenge: base64url(hash), code_challenge_method: 'S256',
  })}`);
}

async function finish(issuer, answer) {
  const attempt = JSON.parse(sessionStorage.getItem('attempt') ?? '{}');
  sessionStorage.removeItem('attempt');
  if (!attempt.state || answer.get('state') !== attempt.state) throw new Error('That answer belongs to no sign-in that this tab began.');
  if ((answer.has('iss') || issuer.authorization_response_iss_parameter_supported) && answer.get('iss') !== config.issuer) throw new Error('That answer is not from Wicket.');
  if (answer.has('error')) throw new Error(`${answer.get('error')}: ${answer.get('error_description') ?? 'Wicket could not sign you in'}`);
  const tokens = await call(issuer.token_endpoint, { method: 'POST', body: new URLSearchParams({
    grant_type: 'authorization_code', client_id: config.client_id, redirect_uri: config.redirect_uri,
    code: answer.get('code'), code_verifier: attempt.verifier,
  }) });
  // The ID token came straight from the token endpoint, so its claims are enough (OpenID Connect Core 3.1.3.7, point 6).
  const id = decode(tokens.id_token.split('.')[1]);
  if (id.iss !== config.issuer || ![id.aud].flat().includes(config.client_id) || id.nonce !== attempt.nonce || id.exp < Date.now() / 1000) throw new Error('That ID token is not for this sign-in.');
  const userinfo = await call(issuer.userinfo_endpoint, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
  if (userinfo.sub !== id.sub) throw new Error('The userinfo answer is about somebody else.');
  return { tokens, id, userinfo };
}

function show(section, claims) {
  at(section).hidden = false;
  at(section).querySelector('dl').replaceChildren(...Object.entries(claims).map(([name, value]) => {
    const line = document.createElement('div');
    line.append(document.createElement('dt'), document.createElement('dd'));
    line.firstChild.textContent = name;
    line.lastChild.textContent = typeof value === 'string' ? value : JSON.stringify(value);
    line.lastChild.dataset.claim = name;
    return line;
  }));
}

try {
  const issuer = await call(`${config.issuer}/.well-known/openid-configuration`);
  if (issuer.issuer !== config.issuer) throw new Error('The metadata names another issuer.');
  at('sign-in').onclick = () => signIn(issuer);
  at('sign-in').disabled = false;
  const answer = new URLSearchParams(location.search);
  history.replaceState(null, '', location.pathname);
  if (answer.has('code') || answer.has('error')) {
    const { tokens, id, userinfo } = await finish(issuer, answer);
    at('greeting').textContent = `Hello, ${userinfo.given_name ?? userinfo.name ?? userinfo.preferred_username ?? 'friend'}.`;
    show('id-token', id);
    show('userinfo', userinfo);
    at('sign-in').hidden = true;
    at('sign-out').hidden = false;
    at('sign-out').onclick = () => location.assign(`${issuer.end_session_endpoint}?${new URLSearchParams({
      id_token_hint: tokens.id_token, client_id: config.client_id, post_logout_redirect_uri: config.redirect_uri,
    })}`);
  }
} catch (error) {
  at('problem').textContent = error.message;
  at('problem').hidden = false;
}
