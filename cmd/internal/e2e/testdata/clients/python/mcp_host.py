"""A host of the Model Context Protocol by its own SDK for Python. It is given nothing but the address of an MCP server,
finds Wicket by it, makes itself known (by the document at CLIENT_DOCUMENT, or else by registration), has a person
signed in, and calls the server with the token. Then it comes back with a refresh token.

Where it wants the person it prints the address to go to; where they came back to is the next line that it reads.
"""
import asyncio
import os
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

SERVER = os.environ['MCP_SERVER']
DOCUMENT = os.environ['CLIENT_DOCUMENT'] or None


class Kept:
    """What a host keeps between its runs."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def go_to(url):
    print(url, flush=True)


async def came_back():
    line = await asyncio.to_thread(sys.stdin.readline)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    return AuthorizationCodeResult(code=answer['code'], state=answer['state'], iss=answer['iss'])


async def call(provider):
    async with (
        httpx2.AsyncClient(auth=provider, timeout=30) as http,
        streamable_http_client(SERVER, http_client=http) as streams,
        ClientSession(*streams[:2]) as session,
    ):
        answer = await session.initialize()
        assert answer.server_info.name == 'protected', answer


async def main():
    kept = Kept()
    provider = OAuthClientProvider(
        server_url=SERVER,
        client_metadata=OAuthClientMetadata(
            client_name='SDK host', redirect_uris=['http://localhost:50321/callback'],
            grant_types=['authorization_code', 'refresh_token'], response_types=['code'],
        ),
        storage=kept, redirect_handler=go_to, callback_handler=came_back, client_metadata_url=DOCUMENT,
    )
    await call(provider)
    assert (kept.client.client_id == DOCUMENT) == bool(DOCUMENT), 'how the host made itself known'
    first = kept.tokens
    assert first.access_token and first.refresh_token, first
    provider.context.token_expiry_time = 1  # it is late
    await call(provider)
    assert kept.tokens.access_token != first.access_token
    print('done', flush=True)


asyncio.run(main())
