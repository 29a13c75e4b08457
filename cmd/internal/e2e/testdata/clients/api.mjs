// APIs that take Wicket's access tokens, as docs/protect-an-api.md writes them: with express-oauth2-jwt-bearer, and with
// jose. Each takes a token for itself, and neither one for another API nor one for Wicket.
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { assert, check, env } from './check.mjs';

const issuer = env('ISSUER');
const audience = env('API');

const app = express();
app.get('/express', auth({ issuerBaseURL: issuer, audience, tokenSigningAlg: 'ES256' }), requiredScopes('read'), (request, response) => {
  response.json({ sub: request.auth.payload.sub });
});

const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
app.get('/jose', async (request, response) => {
  const [, token] = (request.get('Authorization') ?? '').split(' ');
  try {
    const { payload } = await jwtVerify(token ?? '', keys, { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] });
    if (!(payload.scope ?? '').split(' ').includes('read')) return response.status(403).end();
    return response.json({ sub: payload.sub });
  } catch {
    return response.status(401).set('WWW-Authenticate', 'Bearer').end();
  }
});
const server = app.listen(0, '127.0.0.1');
await new Promise((resolve) => { server.on('listening', resolve); });
const origin = `http://127.0.0.1:${server.address().port}`;

async function token(resource, scope) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource, scope });
  const credentials = Buffer.from(`${env('CLIENT_ID')}:${env('CLIENT_SECRET')}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body: form, headers: { Authorization: `Basic ${credentials}` } });
  const { access_token: made, ...rest } = await answer.json();
  assert.ok(made, JSON.stringify(rest));
  return made;
}

for (const [name, made, status] of [
  ['a token for it', await token(audience, 'read'), 200],
  ['a token without the scope', await token(audience, ''), 403],
  ['a token for another API', await token(env('OTHER_API'), 'read'), 401],
  ['a token for Wicket', await token(issuer, ''), 401],
  ['no token', '', 401],
]) {
  for (const path of ['/express', '/jose']) {
    await check(`${path}, ${name}`, async () => {
      const answer = await fetch(origin + path, { headers: made ? { Authorization: `Bearer ${made}` } : {} });
      assert.equal(answer.status, status);
      if (status === 200) assert.equal((await answer.json()).sub, env('CLIENT_ID'));
    });
  }
}
server.close();
server.closeAllConnections();
