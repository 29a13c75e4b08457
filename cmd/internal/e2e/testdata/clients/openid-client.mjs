// A confidential web app written with openid-client: sign-in, userinfo, refresh, introspection, revocation, sign-out.
import * as client from 'openid-client';
import { assert, check, env, refused } from './check.mjs';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const clientId = env('CLIENT_ID');
const redirectUri = env('REDIRECT_URI');
const postLogoutRedirectUri = env('POST_LOGOUT_REDIRECT_URI');
const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });
const methods = { client_secret_basic: client.ClientSecretBasic, client_secret_post: client.ClientSecretPost };
const authentication = methods[env('AUTH_METHOD', 'client_secret_basic')](env('CLIENT_SECRET'));
const scope = 'openid profile email offline_access';

const config = await check('discovery', () => client.discovery(new URL(issuer), clientId, undefined, authentication, {
  execute: [client.enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : [])],
}));

await check('metadata: code, S256, iss in answers, and every endpoint used here', () => {
  const server = config.serverMetadata();
  assert.equal(server.issuer, issuer);
  assert.ok(server.response_types_supported.includes('code'));
  assert.ok(server.supportsPKCE('S256'));
  assert.equal(server.authorization_response_iss_parameter_supported, true);
  for (const name of ['authorization', 'token', 'userinfo', 'introspection', 'revocation', 'end_session']) assert.ok(server[`${name}_endpoint`], `${name}_endpoint`);
});

async function authorize(parameters = {}) {
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope, state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  });
  const answer = await person.visit(url, redirectUri);
  return { ...answer, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } };
}

let tokens = await check('code + PKCE', async () => {
  const { url, pages, checks } = await authorize();
  assert.ok(pages.includes('sign-in'), 'the person was not asked to sign in');
  assert.equal(url.searchParams.get('iss'), issuer);
  assert.equal(url.searchParams.get('state'), checks.expectedState);
  return client.authorizationCodeGrant(config, url, checks);
});

const claims = await check('ID token claims', () => {
  const claims = tokens.claims();
  assert.equal(claims.iss, issuer);
  assert.deepEqual([claims.aud].flat(), [clientId]);
  assert.ok(claims.sub && claims.sub.length <= 255);
  assert.ok(claims.exp > Date.now() / 1000);
  assert.equal(tokens.token_type, 'bearer');
  assert.ok(tokens.expires_in > 0 && tokens.refresh_token);
  return claims;
});

await check('userinfo', async () => {
  const answer = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.ok(answer.email, 'scope email gives an email');
  assert.equal(typeof answer.email_verified, 'boolean');
});

await check('a second sign-in needs nothing from the person', async () => {
  const { url, pages, checks } = await authorize();
  assert.deepEqual(pages, []);
  assert.equal((await client.authorizationCodeGrant(config, url, checks)).claims().sub, claims.sub);
});

await check('refresh, rotated', async () => {
  const before = tokens;
  tokens = await client.refreshTokenGrant(config, before.refresh_token);
  assert.notEqual(tokens.refresh_token, before.refresh_token);
  assert.notEqual(tokens.access_token, before.access_token);
  if (tokens.claims()) assert.equal(tokens.claims().sub, claims.sub);
  await client.fetchUserInfo(config, tokens.access_token, claims.sub);
});

await check('introspection', async () => {
  const answer = await client.tokenIntrospection(config, tokens.access_token);
  assert.equal(answer.active, true);
  assert.equal(answer.sub, claims.sub);
  assert.equal(answer.client_id, clientId);
  assert.ok(answer.scope.split(' ').includes('openid'));
  assert.equal((await client.tokenIntrospection(config, tokens.refresh_token, { token_type_hint: 'refresh_token' })).active, true);
  assert.deepEqual(await client.tokenIntrospection(config, 'no-such-token'), { active: false });
});

await check('revocation', async () => {
  await client.tokenRevocation(config, tokens.refresh_token, { token_type_hint: 'refresh_token' });
  await refused(client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
  assert.equal((await client.tokenIntrospection(config, tokens.refresh_token)).active, false);
  await client.tokenRevocation(config, 'no-such-token');
});

await check('RP-initiated logout', async () => {
  const state = client.randomState();
  const url = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: postLogoutRedirectUri, state });
  const answer = await person.visit(url, postLogoutRedirectUri);
  assert.equal(answer.url.searchParams.get('state'), state);
});

await check('signed out: prompt=none is refused', async () => {
  const { url, checks } = await authorize({ prompt: 'none' });
  await refused(client.authorizationCodeGrant(config, url, checks), 'login_required');
});
