// A device without a browser, written with openid-client: it shows a code, and asks until the person has decided.
import * as client from 'openid-client';
import { assert, check, env, refused } from './check.mjs';

const issuer = env('ISSUER');
const config = await check('discovery', () => client.discovery(new URL(issuer), env('CLIENT_ID'), undefined, client.None(), {
  execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
}));

await check('metadata', () => {
  const server = config.serverMetadata();
  assert.equal(server.device_authorization_endpoint, `${issuer}/device_authorization`);
  assert.ok(server.grant_types_supported.includes('urn:ietf:params:oauth:grant-type:device_code'));
});

const asked = await check('device authorization', () => client.initiateDeviceAuthorization(config, { scope: 'openid email offline_access' }));
console.log(`OPEN ${asked.verification_uri_complete}`);

const tokens = await check('tokens', () => client.pollDeviceAuthorizationGrant(config, { ...asked, interval: 1 }));
await check('ID token and userinfo', async () => {
  const claims = tokens.claims();
  assert.equal(claims.iss, issuer);
  const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(person.email, env('EMAIL'));
});
await check('refresh', async () => {
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.ok(next.access_token && next.refresh_token);
});
await check('a code that was redeemed is refused', () => refused(client.genericGrantRequest(
  config, 'urn:ietf:params:oauth:grant-type:device_code', { device_code: asked.device_code },
), 'invalid_grant'));
