// A client without a secret, written with openid-client: private_key_jwt (RFC 7523, OpenID Connect Core section 9).
import { generateKeyPair, importJWK } from 'jose';
import * as client from 'openid-client';
import { assert, check, env, refused } from './check.mjs';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const clientId = env('CLIENT_ID_JWT');
const redirectUri = env('REDIRECT_URI');
const jwk = JSON.parse(env('PRIVATE_JWK'));
const key = { key: await importJWK(jwk, jwk.alg ?? 'ES256'), kid: jwk.kid };

const connect = (authentication) => client.discovery(new URL(issuer), clientId, undefined, authentication, {
  execute: [client.enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : [])],
});
const config = await check('discovery', () => connect(client.PrivateKeyJwt(key)));

await check('metadata: private_key_jwt with ES256', () => {
  const server = config.serverMetadata();
  assert.ok(server.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
  assert.ok(server.token_endpoint_auth_signing_alg_values_supported.includes('ES256'));
});

await check('client credentials', async () => {
  const tokens = await client.clientCredentialsGrant(config);
  assert.ok(tokens.access_token && tokens.expires_in > 0);
  assert.equal(tokens.token_type, 'bearer');
  assert.equal(tokens.refresh_token, undefined);
  assert.equal(tokens.id_token, undefined);
});

await check('client credentials, the token endpoint as audience', async () => {
  const config = await connect(client.PrivateKeyJwt(key, { [client.modifyAssertion]: (_, claims) => { claims.aud = config.serverMetadata().token_endpoint; } }));
  await client.clientCredentialsGrant(config);
});

await check('code + PKCE', async () => {
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope: 'openid', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const answer = await new Person({ username: env('USERNAME'), password: env('PASSWORD') }).visit(url, redirectUri);
  const tokens = await client.authorizationCodeGrant(config, answer.url, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
});

await check('a replayed assertion is refused', async () => {
  let sent;
  config[client.customFetch] = (url, options) => {
    sent ??= String(options.body);
    return fetch(url, { ...options, body: sent }); // the second time, the first assertion once more
  };
  await client.clientCredentialsGrant(config);
  await refused(client.clientCredentialsGrant(config), 'invalid_client');
});

const refusedAssertion = (what, change, { signer = key, others = [] } = {}) => check(`${what} is refused`, async () => {
  const config = await connect(client.PrivateKeyJwt(signer, { [client.modifyAssertion]: (header, claims) => change(claims, header) }));
  await refused(client.clientCredentialsGrant(config), 'invalid_client', ...others);
});
await refusedAssertion('an assertion signed with another key', () => {}, { signer: { key: (await generateKeyPair('ES256')).privateKey, kid: jwk.kid } });
await refusedAssertion('an expired assertion', (claims) => { claims.iat -= 3600; claims.nbf -= 3600; claims.exp -= 3600; });
await refusedAssertion('an assertion for another server', (claims) => { claims.aud = 'https://elsewhere.example'; });
await refusedAssertion('an assertion about another client', (claims) => { claims.sub = 'somebody-else'; }, { others: ['invalid_request'] });
