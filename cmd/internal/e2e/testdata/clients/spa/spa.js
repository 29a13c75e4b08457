// A single-page app written with oidc-client-ts: code flow with PKCE, refresh by refresh token, RP-initiated logout.
// /config.json holds { authority, client_id, redirect_uri, post_logout_redirect_uri, scope }.
const { UserManager, WebStorageStateStore } = window.oidc;
const at = (id) => document.getElementById(id);
const settings = await (await fetch('/config.json')).json();

const manager = new UserManager({
  ...settings,
  response_type: 'code',
  response_mode: 'query',
  loadUserInfo: true,
  automaticSilentRenew: false,
  monitorSession: false,
  userStore: new WebStorageStateStore({ store: sessionStorage }),
  stateStore: new WebStorageStateStore({ store: sessionStorage }),
});

function show(user) {
  at('claims').textContent = user ? JSON.stringify(user.profile, null, 2) : '';
  at('expires-at').textContent = user?.expires_at ?? '';
  at('login').disabled = !!user;
  at('logout').disabled = !user;
  at('refresh').disabled = !user?.refresh_token;
  at('status').textContent = user ? `signed in as ${user.profile.sub}` : 'signed out';
}

const attempt = (action) => async () => {
  at('error').textContent = '';
  try {
    await action();
  } catch (error) {
    at('error').textContent = `${error.name}: ${error.message}`;
  }
};

at('login').onclick = attempt(() => manager.signinRedirect());
at('logout').onclick = attempt(() => manager.signoutRedirect());
at('refresh').onclick = attempt(async () => {
  show(await manager.signinSilent());
  at('refreshes').textContent = Number(at('refreshes').textContent) + 1;
});

await attempt(async () => {
  const answer = new URLSearchParams(location.search);
  if (answer.has('code') || answer.has('error')) {
    history.replaceState(null, '', location.pathname);
    await manager.signinCallback(`${location.origin}${location.pathname}?${answer}`);
  } else if (answer.has('state')) {
    history.replaceState(null, '', location.pathname);
    await manager.signoutCallback(`${location.origin}${location.pathname}?${answer}`);
  }
})();
show(await manager.getUser());
