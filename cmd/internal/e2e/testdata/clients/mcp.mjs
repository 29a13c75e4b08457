// A host of the Model Context Protocol by its own SDK: it is given nothing but the address of an MCP server, finds Wicket
// by it, makes itself known (by the document at CLIENT_DOCUMENT, or else by registration), signs the person in, and calls
// the server with the token. Then it comes back with a refresh token. TOOLS is JSON: what each tool that it calls answers.
import { assert } from './check.mjs'; // first: it supplies what Node.js 18 lacks
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError, auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Person } from './person.mjs';

const { MCP_SERVER, SERVER_NAME = 'protected', TOOLS = '[]', CLIENT_DOCUMENT, USERNAME, PASSWORD } = process.env;
const redirectUrl = 'http://localhost:50321/callback';

class Host {
  redirectUrl = redirectUrl;

  clientMetadataUrl = CLIENT_DOCUMENT || undefined;

  clientMetadata = {
    client_name: 'SDK host', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  };

  clientInformation() { return this.client; }

  saveClientInformation(client) { this.client = client; }

  tokens() { return this.kept; }

  saveTokens(tokens) { this.kept = tokens; }

  saveCodeVerifier(verifier) { this.verifier = verifier; }

  codeVerifier() { return this.verifier; }

  redirectToAuthorization(url) { this.to = url; }
}

const host = new Host();
const connect = () => {
  const client = new Client({ name: 'sdk-host', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(MCP_SERVER), { authProvider: host });
  return { client, transport };
};

const first = connect();
await assert.rejects(first.client.connect(first.transport), UnauthorizedError);
assert.equal(host.to.searchParams.get('resource'), MCP_SERVER);
assert.equal(host.client.client_id === CLIENT_DOCUMENT, Boolean(CLIENT_DOCUMENT), 'how the host made itself known');

const { url, pages } = await new Person({ username: USERNAME, password: PASSWORD }).visit(host.to, redirectUrl);
assert.deepEqual(pages, ['sign-in', 'allow']);
await first.transport.finishAuth(url.searchParams.get('code'));
assert.ok(host.kept.access_token && host.kept.refresh_token, JSON.stringify(host.kept));

const second = connect();
await second.client.connect(second.transport);
assert.equal(second.client.getServerVersion().name, SERVER_NAME);
for (const [name, args, answers] of JSON.parse(TOOLS)) {
  const { structuredContent, isError } = await second.client.callTool({ name, arguments: args });
  assert.ok(!isError);
  assert.deepEqual(structuredContent, answers);
}
await second.client.close();

const before = host.kept.access_token;
assert.equal(await auth(host, { serverUrl: MCP_SERVER }), 'AUTHORIZED'); // by the refresh token
assert.notEqual(host.kept.access_token, before);
console.log('an MCP host signed in and came back');
