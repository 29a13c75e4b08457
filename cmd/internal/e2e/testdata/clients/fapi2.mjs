// An app of the FAPI 2.0 Security Profile, with openid-client: pushed request, PKCE, private_key_jwt, DPoP.
import { importJWK } from 'jose';
import * as client from 'openid-client';
import { assert, check, env, refused } from './check.mjs';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const redirectUri = env('REDIRECT_URI');
const jwk = JSON.parse(env('PRIVATE_JWK'));
const key = { key: await importJWK(jwk, jwk.alg), kid: jwk.kid };
const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });

const connect = (aud) => client.discovery(new URL(issuer), env('CLIENT_ID_JWT'), undefined,
  client.PrivateKeyJwt(key, { [client.modifyAssertion]: (_, claims) => { claims.aud = aud; } }),
  { execute: [client.enableNonRepudiationChecks, client.allowInsecureRequests] });
const config = await check('discovery', () => connect(issuer));
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));

const request = async (config, parameters = {}) => {
  const [state, verifier] = [client.randomState(), client.randomPKCECodeVerifier()];
  return { state, verifier, parameters: {
    redirect_uri: redirectUri, scope: 'openid offline_access', state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  } };
};

const tokens = await check('pushed request, code, tokens', async () => {
  const { state, verifier, parameters } = await request(config);
  const answer = await person.visit(await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP }), redirectUri);
  assert.equal(answer.url.searchParams.get('iss'), issuer);
  return client.authorizationCodeGrant(config, answer.url, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true }, undefined, { DPoP });
});
assert.equal(tokens.token_type, 'dpop');

await check('the refresh token stays, also for an app that has lost the answer', async () => {
  for (let n = 0; n < 3; n++) {
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    assert.equal(refreshed.refresh_token, tokens.refresh_token);
    await client.fetchUserInfo(config, refreshed.access_token, tokens.claims().sub, { DPoP });
  }
  await client.tokenRevocation(config, tokens.refresh_token);
  await refused(client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }), 'invalid_grant');
});

await check('a request that is not pushed is refused', async () => {
  const { parameters } = await request(config);
  const answer = await person.visit(client.buildAuthorizationUrl(config, parameters), redirectUri);
  assert.equal(answer.url.searchParams.get('error'), 'invalid_request');
});

await check('a request without PKCE is refused', async () => {
  const { parameters } = await request(config, { code_challenge: '', code_challenge_method: '' });
  await refused(client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP }), 'invalid_request');
});

await check('tokens without a key are refused', async () => {
  await refused(client.clientCredentialsGrant(config), 'invalid_dpop_proof');
});

for (const aud of [config.serverMetadata().token_endpoint, [issuer]]) {
  await check(`an assertion for ${JSON.stringify(aud)} is refused`, async () => {
    await refused(client.clientCredentialsGrant(await connect(aud), {}, { DPoP }), 'invalid_client');
  });
}
