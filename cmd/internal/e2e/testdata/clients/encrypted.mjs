// A web app written with openid-client that is told everything in secret: ID token, userinfo and introspection.
import { importJWK } from 'jose';
import * as client from 'openid-client';
import { assert, check, env } from './check.mjs';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const clientId = env('CLIENT_ID');
const redirectUri = env('REDIRECT_URI');
const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });
const jwk = JSON.parse(env('PRIVATE_JWK'));
const key = { key: await importJWK(jwk, jwk.alg), alg: jwk.alg, kid: jwk.kid };

const config = await check('discovery', () => client.discovery(new URL(issuer), clientId, {
  client_secret: env('CLIENT_SECRET'), id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'EdDSA', introspection_signed_response_alg: 'ES256',
}, client.ClientSecretPost(env('CLIENT_SECRET')), {
  execute: [client.enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : [])],
}));

await check('metadata: what can be encrypted', () => {
  const server = config.serverMetadata();
  for (const name of ['id_token', 'userinfo', 'authorization', 'introspection']) {
    assert.ok(server[`${name}_encryption_alg_values_supported`].includes(jwk.alg), name);
    assert.ok(server[`${name}_encryption_enc_values_supported`].includes('A256GCM'), name);
  }
  assert.ok(server.introspection_signing_alg_values_supported.includes('ES256'));
});

client.enableDecryptingResponses(config, ['A128CBC-HS256', 'A128GCM', 'A256GCM'], key);

const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
const tokens = await check('code + PKCE, with an encrypted ID token', async () => {
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope: 'openid email', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const answer = await person.visit(url, redirectUri);
  const tokens = await client.authorizationCodeGrant(config, answer.url, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
  assert.equal(tokens.id_token.split('.').length, 5, 'the ID token is encrypted');
  return tokens;
});

await check('encrypted userinfo', async () => {
  const answer = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.ok(answer.email, 'scope email gives an email');
});

await check('encrypted introspection', async () => {
  const answer = await client.tokenIntrospection(config, tokens.access_token);
  assert.equal(answer.active, true);
  assert.equal(answer.sub, tokens.claims().sub);
});
