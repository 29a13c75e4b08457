// An app whose tokens are bound to its key (DPoP, RFC 9449), with openid-client; an API checks them with oauth4webapi.
import * as client from 'openid-client';
import * as oauth from 'oauth4webapi';
import { assert, check, env, refused } from './check.mjs';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const redirectUri = env('REDIRECT_URI');
const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });
const http = { [oauth.allowInsecureRequests]: true };

const config = await check('discovery', () => client.discovery(new URL(issuer), env('CLIENT_ID'), undefined, client.ClientSecretBasic(env('CLIENT_SECRET')), {
  execute: [client.enableNonRepudiationChecks, client.allowInsecureRequests],
}));
assert.ok(config.serverMetadata().dpop_signing_alg_values_supported.includes('ES256'));

const tokensOf = {};
for (const alg of ['ES256', 'PS256']) {
  const keys = await client.randomDPoPKeyPair(alg);
  const DPoP = client.getDPoPHandle(config, keys);
  const tokens = await check(`${alg}: pushed request, code, tokens`, async () => {
    const [state, verifier] = [client.randomState(), client.randomPKCECodeVerifier()];
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: redirectUri, scope: 'openid profile offline_access', state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    }, { DPoP });
    const answer = await person.visit(url, redirectUri);
    return client.authorizationCodeGrant(config, answer.url, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true }, undefined, { DPoP });
  });
  assert.equal(tokens.token_type, 'dpop');
  const subject = tokens.claims().sub;
  await check(`${alg}: userinfo`, async () => assert.equal((await client.fetchUserInfo(config, tokens.access_token, subject, { DPoP })).sub, subject));
  await check(`${alg}: no userinfo without the key`, () => refused(client.fetchUserInfo(config, tokens.access_token, subject), 'invalid_token'));
  const refreshed = await check(`${alg}: refresh`, () => client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }));
  tokensOf[alg] = { keys, token: refreshed.access_token };
}

await check('an API takes a bound token with a proof of its key', async () => {
  const { keys, token } = tokensOf.ES256;
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), http));
  const handle = oauth.DPoP({ client_id: env('CLIENT_ID') }, keys);
  const seen = [];
  // The library's own client makes the request that its own resource server checks.
  await oauth.protectedResourceRequest(token, 'GET', new URL('https://api.example.com/orders'), undefined, undefined, {
    DPoP: handle, [oauth.customFetch]: (url, { method, headers }) => { seen.push(new Request(url, { method, headers })); return new Response(); },
  });
  const claims = await oauth.validateJwtAccessToken(as, seen[0], issuer, http);
  assert.ok(claims.cnf.jkt);
  const bearer = new Request('https://api.example.com/orders', { headers: { Authorization: `Bearer ${token}` } });
  await assert.rejects(oauth.validateJwtAccessToken(as, bearer, issuer, http));
});
