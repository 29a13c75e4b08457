// One line per check done; the first failure ends the script with a message and exit status 1.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';

export { assert };

// The libraries expect a newer Node.js, but this is all that Debian 12's, which is 18, lacks for them.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

/** The value of an environment variable, or the end of the script. */
export function env(name, otherwise) {
  const value = process.env[name] || otherwise;
  if (value) return value;
  console.error(`${name} is not set`);
  process.exit(2);
}

/** Runs one check and returns what it returns. */
export async function check(what, how) {
  try {
    const result = await how();
    console.log(`ok  ${what}`);
    return result;
  } catch (error) {
    console.log(`not ok  ${what}`);
    console.error(`${what}: ${describe(error)}`);
    process.exit(1);
  }
}

/** Awaits a promise that must be refused with this OAuth error code. */
export async function refused(promise, ...codes) {
  const error = await promise.then(() => assert.fail(`accepted, expected ${codes.join(' or ')}`), (e) => e);
  // With a WWW-Authenticate header the libraries leave the body, where OAuth's error is, unread.
  error.error ??= (await error.response?.json().catch(() => undefined))?.error;
  assert.ok(codes.includes(error.error), `refused with ${describe(error)}, expected ${codes.join(' or ')}`);
  return error;
}

function describe(error) {
  const parts = [error.stack ?? String(error)];
  if (error.error) parts.push(`server said: ${error.status ?? ''} ${error.error}: ${error.error_description ?? '(no description)'}`);
  for (let cause = error.cause; cause; cause = cause.cause) {
    parts.push(`because: ${cause.stack ?? (cause instanceof Response ? `${cause.status} ${cause.url}` : JSON.stringify(cause, undefined, 1))}`);
  }
  return parts.join('\n');
}
