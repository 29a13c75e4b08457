// A confidential app that sends its authorization requests in every way that openid-client knows.
import * as client from 'openid-client';
import { importJWK } from 'jose';
import { assert, check, env, refused } from './check.mjs';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const clientId = env('CLIENT_ID');
const redirectUri = env('REDIRECT_URI');
const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });
const jwk = JSON.parse(env('PRIVATE_JWK'));
const privateKey = { key: await importJWK(jwk, 'ES256'), kid: jwk.kid };

const connect = () => client.discovery(new URL(issuer), clientId, undefined, client.PrivateKeyJwt(privateKey), {
  execute: [client.enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : [])],
});
const config = await check('discovery', connect);

async function request(parameters = {}) {
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
  return {
    parameters: {
      redirect_uri: redirectUri, scope: 'openid profile email offline_access', state, nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
    },
    checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
  };
}

await check('a pushed request', async () => {
  const { parameters, checks } = await request();
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
  const answer = await person.visit(url, redirectUri);
  assert.ok((await client.authorizationCodeGrant(config, answer.url, checks)).claims().sub);
  const late = await person.visit(url, redirectUri);
  await refused(client.authorizationCodeGrant(config, late.url, checks), 'invalid_request_uri');
});

await check('a pushed request that is wrong', async () => {
  const { parameters } = await request({ response_type: 'magic' });
  await refused(client.buildAuthorizationUrlWithPAR(config, parameters), 'unsupported_response_type');
});

await check('a signed request', async () => {
  const { parameters, checks } = await request();
  const url = await client.buildAuthorizationUrlWithJAR(config, parameters, privateKey);
  const answer = await person.visit(url, redirectUri);
  assert.ok((await client.authorizationCodeGrant(config, answer.url, checks)).claims().sub);
});

await check('a signed request, pushed', async () => {
  const { parameters, checks } = await request();
  const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, privateKey);
  const url = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams);
  const answer = await person.visit(url, redirectUri);
  assert.ok((await client.authorizationCodeGrant(config, answer.url, checks)).claims().sub);
});

// How form_post arrives at the app.
const posted = ({ action, fields }) => new Request(action, {
  method: 'POST', body: fields.toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
});

for (const mode of ['fragment', 'form_post']) {
  await check(`code id_token by ${mode}`, async () => {
    const hybrid = await connect();
    client.useCodeIdTokenResponseType(hybrid);
    const { parameters, checks } = await request({ response_mode: mode });
    const answer = await person.visit(client.buildAuthorizationUrl(hybrid, parameters), redirectUri);
    const arrived = mode === 'form_post' ? posted(answer.form) : answer.url;
    assert.ok((await client.authorizationCodeGrant(hybrid, arrived, checks)).claims().sub);
  });

  await check(`id_token by ${mode}`, async () => {
    const implicit = await connect();
    client.useIdTokenResponseType(implicit);
    const { parameters, checks } = await request({ response_mode: mode, scope: 'openid' });
    const answer = await person.visit(client.buildAuthorizationUrl(implicit, parameters), redirectUri);
    const arrived = mode === 'form_post' ? posted(answer.form) : answer.url;
    const claims = await client.implicitAuthentication(implicit, arrived, checks.expectedNonce, { expectedState: checks.expectedState });
    assert.ok(claims.sub);
  });
}

await check('a signed answer', async () => {
  const jarm = await connect();
  client.useJwtResponseMode(jarm);
  const { parameters, checks } = await request();
  const answer = await person.visit(client.buildAuthorizationUrl(jarm, parameters), redirectUri);
  assert.deepEqual([...answer.url.searchParams.keys()], ['response']);
  assert.ok((await client.authorizationCodeGrant(jarm, answer.url, checks)).claims().sub);
});

await check('a signed error', async () => {
  const jarm = await connect();
  client.useJwtResponseMode(jarm);
  const { parameters, checks } = await request({ max_age: 'soon' });
  const answer = await person.visit(client.buildAuthorizationUrl(jarm, parameters), redirectUri);
  assert.deepEqual([...answer.url.searchParams.keys()], ['response']);
  await refused(client.authorizationCodeGrant(jarm, answer.url, checks), 'invalid_request');
});
