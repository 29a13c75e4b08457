// The person beside python/mcp_host.py: goes where it says, and tells it where they came back.
import { assert, env } from './check.mjs';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Person } from './person.mjs';

const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });
const host = spawn('python/.venv/bin/python', ['python/mcp_host.py'], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = [];
for await (const line of createInterface({ input: host.stdout })) {
  lines.push(line);
  if (!line.startsWith('http')) continue;
  const { url, pages } = await person.visit(line, 'http://localhost:50321/callback');
  assert.deepEqual(pages, ['sign-in', 'allow']);
  host.stdin.write(`${url}\n`);
}
assert.equal(lines.length, 2, lines.join('\n'));
assert.equal(lines[1], 'done');
