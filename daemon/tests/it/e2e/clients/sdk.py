"""A client with the official Python SDK.

Run as: python sdk.py URL MODE, with the calls to make on standard input as JSON, [{"tool": ..., "arguments": ...}], and
a token in MCP_TOKEN. Tells as JSON on standard output what it was told: the revision agreed on, the instructions, the
names of everything listed, and for each call its content, its progress, and what was asked of the client meanwhile.
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import CreateMessageResult, ElicitResult, ListRootsResult, Root, TextContent

# Known clients give up after so long.
PATIENCE = 30


async def main(url: str, mode: str, calls: list) -> dict:
    asked = []

    async def sample(context, params):
        asked.append("sampling")
        text = TextContent(type="text", text="sampled by the client")
        return CreateMessageResult(role="assistant", content=text, model="none", stop_reason="endTurn")

    async def elicit(context, params):
        asked.append("elicitation")
        return ElicitResult(action="accept", content={"it": "elicited from the client"})

    async def roots(context):
        asked.append("roots")
        return ListRootsResult(roots=[Root(uri="file:///of/the/client")])

    headers = {"Authorization": "Bearer " + os.environ["MCP_TOKEN"]}
    http = create_mcp_http_client(headers=headers)
    client = Client(
        streamable_http_client(url, http_client=http),
        mode=mode,
        read_timeout_seconds=PATIENCE,
        sampling_callback=sample,
        elicitation_callback=elicit,
        list_roots_callback=roots,
    )
    async with http, client:
        tools, cursor, meta = [], None, {}
        while True:
            page = await client.list_tools(cursor=cursor)
            tools += [tool.name for tool in page.tools]
            meta.update(page.meta or {})
            cursor = page.next_cursor
            if cursor is None:
                break
        results = []
        for call in calls:
            asked.clear()
            progress = []

            async def note(done, total, message):
                progress.append(done)

            result = await client.call_tool(call["tool"], call["arguments"], progress_callback=note)
            content = [block.model_dump(mode="json", by_alias=True, exclude_none=True) for block in result.content]
            results.append(
                {
                    "content": content,
                    "structured": result.structured_content,
                    "error": bool(result.is_error),
                    "progress": progress,
                    "asked": list(asked),
                }
            )
        return {
            "revision": client.protocol_version,
            "instructions": client.instructions,
            "tools": tools,
            "meta": meta,
            "prompts": [prompt.name for prompt in (await client.list_prompts()).prompts],
            "resources": [str(resource.uri) for resource in (await client.list_resources()).resources],
            "results": results,
        }


print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], json.load(sys.stdin)))))
