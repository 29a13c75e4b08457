// The same journey, and the protocol's side streets, with oauth4webapi, which validates every answer strictly.
import { setTimeout as sleep } from 'node:timers/promises';
import * as oauth from 'oauth4webapi';
import { assert, check, env, refused } from './check.mjs';
import { Person } from './person.mjs';

const issuer = new URL(env('ISSUER'));
const redirectUri = env('REDIRECT_URI');
const postLogoutRedirectUri = env('POST_LOGOUT_REDIRECT_URI');
const resource = env('RESOURCE', env('ISSUER')); // the audience of access tokens
const client = { client_id: env('CLIENT_ID') };
const methods = { client_secret_basic: oauth.ClientSecretBasic, client_secret_post: oauth.ClientSecretPost };
const authentication = methods[env('AUTH_METHOD', 'client_secret_basic')](env('CLIENT_SECRET'));
const http = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' };
const scope = 'openid profile email offline_access';
const newPerson = () => new Person({ username: env('USERNAME'), password: env('PASSWORD') });

const as = await check('discovery', async () => oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http)));

await check('RFC 8414 metadata says the same', async () => {
  const answer = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' }));
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'revocation_endpoint', 'introspection_endpoint']) assert.equal(answer[name], as[name], name);
});

await check('metadata: response modes, prompts and methods used here', () => {
  for (const mode of ['query', 'fragment', 'form_post']) assert.ok(as.response_modes_supported.includes(mode), mode);
  for (const method of ['client_secret_basic', 'client_secret_post']) assert.ok(as.token_endpoint_auth_methods_supported.includes(method), method);
  for (const name of ['openid', 'profile', 'email', 'offline_access']) assert.ok(as.scopes_supported.includes(name), name);
  assert.ok(as.code_challenge_methods_supported.includes('S256'));
  assert.equal(as.authorization_response_iss_parameter_supported, true);
});

/** Sends a person to the authorization endpoint; returns the validated answer with what is needed to redeem it. */
async function authorize(person, parameters = {}) {
  const attempt = { state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier() };
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id, response_type: 'code', redirect_uri: redirectUri, scope, state: attempt.state, nonce: attempt.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(attempt.verifier), code_challenge_method: 'S256', ...parameters,
  });
  const { url: back, form, pages } = await person.visit(url, redirectUri);
  let answer;
  switch (parameters.response_mode) {
    case 'form_post':
      assert.ok(form, `answered by a redirect instead of a form: ${back}`);
      assert.equal(form.action, redirectUri);
      answer = form.fields;
      break;
    case 'fragment':
      assert.equal(back.search, new URL(redirectUri).search, 'the answer is in the query');
      answer = new URLSearchParams(back.hash.slice(1));
      break;
    default:
      assert.ok(back, 'answered by a form instead of a redirect');
      assert.equal(back.hash, '', 'the answer has a fragment');
      answer = back;
  }
  return { pages, ...attempt, parameters: oauth.validateAuthResponse(as, client, answer, attempt.state) };
}

async function redeem({ parameters, nonce, verifier }, options = {}) {
  const response = await oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, redirectUri, verifier, http);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true, ...options });
  await oauth.validateApplicationLevelSignature(as, response, http);
  return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

const userinfo = async (token, sub) => oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, token, http));
const introspect = async (token) => oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, authentication, token, http));
const refresh = async (token) => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, token, http));
const validate = (token) => oauth.validateJwtAccessToken(as, new Request(resource, { headers: { Authorization: `Bearer ${token}` } }), resource, http);

await check('prompt=none from a fresh browser: login_required', () => refused(authorize(newPerson(), { prompt: 'none' }), 'login_required'));

const person = newPerson();
const first = await check('code + PKCE', async () => {
  const answer = await authorize(person);
  assert.ok(answer.pages.includes('sign-in'), 'the person was not asked to sign in');
  return redeem(answer);
});
const { sub } = first.claims;

await check('userinfo', async () => assert.ok((await userinfo(first.access_token, sub)).email));

await check('access token is a JWT (RFC 9068)', async () => {
  const claims = await validate(first.access_token);
  assert.equal(claims.sub, sub);
  assert.equal(claims.client_id, client.client_id);
  assert.ok(claims.scope.split(' ').includes('openid'));
});

await check('prompt=none for a signed-in person: silent, the same sub', async () => {
  const answer = await authorize(person, { prompt: 'none', id_token_hint: first.id_token });
  assert.deepEqual(answer.pages, []);
  assert.equal((await redeem(answer)).claims.sub, sub);
});

for (const mode of ['query', 'fragment', 'form_post']) {
  await check(`response_mode=${mode}`, async () => assert.equal((await redeem(await authorize(person, { response_mode: mode }))).claims.sub, sub));
  await check(`response_mode=${mode}, an error`, () => refused(authorize(newPerson(), { response_mode: mode, prompt: 'none' }), 'login_required'));
}

await check('max_age that is not over: no sign-in', async () => {
  const answer = await authorize(person, { max_age: '3600' });
  assert.deepEqual(answer.pages, []);
  const { claims } = await redeem(answer, { maxAge: 3600 });
  assert.ok(claims.auth_time <= Date.now() / 1000 + 1);
});

await check('max_age that is over: signs in again, with a new auth_time', async () => {
  const { claims: before } = await redeem(await authorize(person, { max_age: '3600' }), { maxAge: 3600 });
  await sleep(2100);
  await refused(authorize(person, { max_age: '1', prompt: 'none' }), 'login_required');
  const answer = await authorize(person, { max_age: '1' });
  assert.ok(answer.pages.includes('sign-in'));
  const { claims } = await redeem(answer, { maxAge: 1 });
  assert.equal(claims.sub, sub);
  assert.ok(claims.auth_time > before.auth_time, `auth_time ${claims.auth_time} is not after ${before.auth_time}`);
});

await check('prompt=login: signs in again', async () => {
  const answer = await authorize(person, { prompt: 'login' });
  assert.ok(answer.pages.includes('sign-in'));
  assert.equal((await redeem(answer)).claims.sub, sub);
});

await check('a wrong PKCE verifier is refused', async () => {
  const answer = await authorize(person);
  await refused(redeem({ ...answer, verifier: oauth.generateRandomCodeVerifier() }), 'invalid_grant');
});

const second = await check('refresh, rotated', async () => {
  const tokens = await refresh(first.refresh_token);
  assert.notEqual(tokens.refresh_token, first.refresh_token);
  assert.equal((await validate(tokens.access_token)).sub, sub);
  if (tokens.id_token) assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, sub);
  return tokens;
});

await check('introspection', async () => {
  const answer = await introspect(second.access_token);
  assert.equal(answer.active, true);
  assert.equal(answer.sub, sub);
});

await check('revocation', async () => {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, second.refresh_token, http));
  await refused(refresh(second.refresh_token), 'invalid_grant');
  assert.equal((await introspect(second.refresh_token)).active, false);
});

await check('client credentials', async () => {
  const tokens = await oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, authentication, {}, http));
  assert.equal(tokens.refresh_token, undefined);
  const claims = await validate(tokens.access_token);
  assert.equal(claims.sub, client.client_id);
});

for (const [method, wrong] of Object.entries(methods)) {
  await check(`a wrong secret by ${method} is refused`, async () => {
    const response = await oauth.clientCredentialsGrantRequest(as, client, wrong('not-the-secret'), {}, http);
    assert.equal(response.status, 401);
    await refused(oauth.processClientCredentialsResponse(as, client, response), 'invalid_client');
  });
}

await check('a code works once', async () => {
  const answer = await authorize(person);
  const tokens = await redeem(answer);
  await refused(redeem(answer), 'invalid_grant');
  await refused(refresh(tokens.refresh_token), 'invalid_grant');
});

await check('RP-initiated logout', async () => {
  const url = new URL(as.end_session_endpoint);
  url.search = new URLSearchParams({ id_token_hint: first.id_token, client_id: client.client_id, post_logout_redirect_uri: postLogoutRedirectUri, state: 'bye' });
  const answer = await person.visit(url, postLogoutRedirectUri);
  assert.equal(answer.url.searchParams.get('state'), 'bye');
  await refused(authorize(person, { prompt: 'none' }), 'login_required');
});
