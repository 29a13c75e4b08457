// What a webhook has got, verified by the library of Standard Webhooks: SECRET, BODY and HEADERS, which is JSON.
import { Webhook } from 'standardwebhooks';
import { assert, check, env } from './check.mjs';

const body = env('BODY');
const headers = JSON.parse(env('HEADERS'));
const webhook = new Webhook(env('SECRET'));

await check('verifies', () => assert.equal(webhook.verify(body, headers).type, env('TYPE')));
await check('refuses another body', () => assert.throws(() => webhook.verify(body.replace('"', '" '), headers)));
await check('refuses another id', () =>
  assert.throws(() => webhook.verify(body, { ...headers, 'webhook-id': 'another' })));
