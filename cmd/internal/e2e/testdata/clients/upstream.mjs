// A provider upstream that Wicket did not write, npm oidc-provider, in the shape of any OpenID Provider, of Google or of
// Microsoft. Whoever signs in on its page says in JSON who they are: the claims of their account there.
import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const { PORT, SHAPE, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, LOGOUT_URI, AUTH_METHOD, TENANT } = process.env;
const origin = `http://localhost:${PORT}`;
const prefix = SHAPE === 'microsoft' ? `/${TENANT}/v2.0` : '';
const accounts = new Map();

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const provider = new Provider(origin + prefix, {
  jwks: { keys: [{ ...await exportJWK(privateKey), kid: 'upstream', alg: 'RS256', use: 'sig' }] },
  clients: [{
    client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: AUTH_METHOD || 'client_secret_basic',
    grant_types: ['authorization_code'], response_types: ['code'], backchannel_logout_uri: LOGOUT_URI, backchannel_logout_session_required: true,
  }],
  clientAuthMethods: AUTH_METHOD ? [AUTH_METHOD] : undefined,
  acrValues: ['urn:upstream:mfa'],
  claims: {
    openid: ['sub', 'acr', 'amr', 'auth_time', 'hd', 'tid', 'oid', 'groups', 'department', 'realm_access', 'sid'],
    email: ['email', 'email_verified', 'xms_edov'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'picture', 'locale', 'zoneinfo', 'website'],
  },
  conformIdTokenClaims: !['google', 'microsoft'].includes(SHAPE), // these two tell everything in the ID token
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  cookies: { keys: ['upstream'] },
  pkce: { required: () => true },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
  interactions: { url: (_, interaction) => `${prefix}/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...accounts.get(id), sub: id }) }),
});
provider.on('server_error', (_, error) => console.error(error));
provider.on('backchannel.error', (_, error) => console.error('backchannel', error));

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (request.method === 'GET' && details.prompt.name === 'login') {
    const told = JSON.stringify(details.params).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>Upstream</title><link rel="icon" href="data:,"><h1>Upstream</h1><pre id="asked">${told}</pre>
<form method="post"><textarea id="claims" name="claims"></textarea><button id="upstream-sign-in">Sign in</button> <button id="upstream-deny" name="deny" value="1">No</button></form>`);
    return;
  }
  let result;
  if (details.prompt.name === 'login') {
    const body = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    if (body.get('deny')) {
      result = { error: 'access_denied', error_description: 'The person would rather not.' };
    } else {
      const { sub, acr, amr, ...claims } = JSON.parse(body.get('claims'));
      accounts.set(sub, claims);
      result = { login: { accountId: sub, acr, amr } };
    }
  } else {
    const grant = new provider.Grant({ accountId: details.session.accountId, clientId: CLIENT_ID });
    grant.addOIDCScope(details.params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

const handle = provider.callback();
http.createServer((request, response) => {
  request.originalUrl = request.url;
  if (request.url.startsWith('/common/') || request.url.startsWith('/organizations/') || request.url.startsWith('/consumers/')) {
    // Microsoft's document for several tenants: an issuer with a place for the tenant.
    fetch(`${origin}${prefix}/.well-known/openid-configuration`).then((answer) => answer.json()).then((document) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ ...document, issuer: `${origin}/{tenantid}/v2.0` }));
    });
    return;
  }
  if (!request.url.startsWith(prefix)) {
    response.writeHead(404).end();
    return;
  }
  request.url = request.url.slice(prefix.length) || '/';
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => { console.error(error); response.writeHead(500).end(String(error)); });
    return;
  }
  handle(request, response);
}).listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
