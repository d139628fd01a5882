"""A client with the official Python SDK of OpenAI.

Run as: python openai_sdk.py MODELS, with the address of the door in ORCH_URL and a token in ORCH_TOKEN. MODELS names what is to
be asked, as JSON: a model for each part that it plays below. Tells on standard output, as JSON, which stories went well;
ends with an error at the first that did not.
"""

import asyncio
import base64
import json
import os
import sys

import openai

MODELS = json.loads(sys.argv[1])
URL, TOKEN = os.environ["ORCH_URL"], os.environ["ORCH_TOKEN"]
# Known clients try again by themselves; here each answer is looked at.
client = openai.OpenAI(base_url=URL + "/v1", api_key=TOKEN, max_retries=0, timeout=60)

HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
TOOLS = [{"type": "function", "function": {"name": "echo", "description": "Says it again", "parameters": SCHEMA}}]
# One pixel.
PIXEL = base64.b64encode(bytes.fromhex("89504e470d0a1a0a")).decode()

STORIES = []


def story(function):
    STORIES.append(function)
    return function


def refused(kind, ask):
    """What is raised, if it is that."""
    try:
        ask()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


@story
def models():
    listed = {model.id for model in client.models.list()}
    assert set(MODELS["all"]) <= listed, listed
    assert client.models.retrieve(MODELS["all"][0]).object == "model"
    refused(openai.NotFoundError, lambda: client.models.retrieve("absent"))


@story
def chat():
    for model in MODELS["chat"]:
        raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
        assert raw.headers["x-orch-llm"] == model
        answer = raw.parse()
        choice = answer.choices[0]
        assert choice.message.role == "assistant" and choice.message.content.startswith("All is well"), answer
        assert choice.finish_reason == "stop" and answer.usage.prompt_tokens > 0, answer
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@story
def streaming():
    for model in MODELS["chat"]:
        text, usage, ends = "", None, []
        options = {"include_usage": True}
        with client.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options=options) as stream:
            for chunk in stream:
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    ends += [choice.finish_reason] if choice.finish_reason else []
                usage = chunk.usage or usage
        assert text.startswith("All is well") and ends == ["stop"], (model, text, ends)
        assert usage and usage.completion_tokens > 0, (model, usage)
        # The SDK puts the pieces together itself.
        with client.chat.completions.stream(model=model, messages=HELLO) as stream:
            for _ in stream:
                pass
            whole = stream.get_final_completion()
        assert whole.choices[0].message.content == text, (model, whole)


@story
def tools():
    for model in MODELS["tools"]:
        asked = [*HELLO]
        answer = client.chat.completions.create(model=model, messages=asked, tools=TOOLS)
        message = answer.choices[0].message
        call = message.tool_calls[0]
        assert answer.choices[0].finish_reason == "tool_calls" and call.function.name == "echo", (model, answer)
        assert json.loads(call.function.arguments) == {"message": "hello"}, answer
        with client.chat.completions.stream(model=model, messages=asked, tools=TOOLS) as stream:
            for _ in stream:
                pass
            streamed = stream.get_final_completion().choices[0].message.tool_calls[0]
        assert json.loads(streamed.function.arguments) == {"message": "hello"}, (model, streamed)
        asked += [
            message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "hello"},
        ]
        last = client.chat.completions.create(model=model, messages=asked, tools=TOOLS)
        assert last.choices[0].finish_reason == "stop", (model, last)


@story
def images():
    parts = [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}},
    ]
    for model in MODELS["images"]:
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
        assert answer.choices[0].message.content, answer


@story
def responses():
    for model in MODELS["responses"]:
        answer = client.responses.create(model=model, input="hello", instructions="Be short")
        assert answer.status == "completed" and answer.output_text.startswith("All is well"), (model, answer)
        assert answer.usage.input_tokens > 0, answer
        with client.responses.stream(model=model, input="hello") as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed", (model, kinds)
        assert "response.output_text.delta" in kinds, (model, kinds)
        assert final.output_text.startswith("All is well"), final
    tool = {"type": "function", "name": "echo", "parameters": SCHEMA, "strict": False}
    for model in MODELS["tools"]:
        answer = client.responses.create(model=model, input="hello", tools=[tool])
        call = next(item for item in answer.output if item.type == "function_call")
        assert (call.name, json.loads(call.arguments)) == ("echo", {"message": "hello"}), answer
        said = [{"role": "user", "content": "hello"}, call.model_dump(exclude_none=True)]
        said.append({"type": "function_call_output", "call_id": call.call_id, "output": "hello"})
        last = client.responses.create(model=model, input=said, tools=[tool])
        assert last.output_text, (model, last)


@story
def embeddings():
    for model in MODELS["embeddings"]:
        answer = client.embeddings.create(model=model, input=["a", "b"])
        assert [list(item.embedding) for item in answer.data] == [[0.25, -0.5, 1.0]] * 2, answer
        assert answer.usage.prompt_tokens > 0, answer


@story
def errors():
    ask = lambda **more: client.chat.completions.create(messages=HELLO, **more)
    wrong = client.with_options(api_key="orch_" + "0" * 64)
    error = refused(
        openai.AuthenticationError,
        lambda: wrong.chat.completions.create(model=MODELS["chat"][0], messages=HELLO),
    )
    assert error.code == "invalid_api_key", error
    error = refused(openai.NotFoundError, lambda: ask(model="absent"))
    assert error.code == "model_not_found", error
    for model in MODELS["busy"]:
        error = refused(openai.RateLimitError, lambda: ask(model=model))
        assert int(error.response.headers["retry-after"]) > 0, error.response.headers
    for model in MODELS["bad"]:
        error = refused(openai.BadRequestError, lambda: ask(model=model))
        assert error.type == "invalid_request_error" or error.body, error
    refused(
        openai.BadRequestError,
        lambda: client.responses.create(model=MODELS["chat"][0], input="x", previous_response_id="resp_1"),
    )
    for model in MODELS["failing"]:
        refused(openai.InternalServerError, lambda: ask(model=model))
    # An answer that breaks off is no end of one.
    for model in MODELS["breaking"]:
        with client.chat.completions.create(model=model, messages=HELLO, stream=True) as stream:
            error = refused(openai.APIError, lambda: list(stream))
        assert "broke" in error.message, error


@story
def patience():
    # The SDK waits as long as it is told to, and asks again.
    for model in MODELS["throttled"]:
        answer = client.with_options(max_retries=3).chat.completions.create(model=model, messages=HELLO)
        assert answer.choices[0].message.content, answer


@story
def cancelled():
    for model in MODELS["slow"]:
        with client.chat.completions.create(model=model, messages=HELLO, stream=True) as stream:
            next(iter(stream))
        asyncio.run(cancelled_task(model))


async def cancelled_task(model):
    begun = asyncio.Event()

    async def read():
        async with openai.AsyncOpenAI(base_url=URL + "/v1", api_key=TOKEN, max_retries=0) as client:
            async for _ in await client.chat.completions.create(model=model, messages=HELLO, stream=True):
                begun.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), 30)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("it was not cancelled")


for function in STORIES:
    function()
print(json.dumps([function.__name__ for function in STORIES]))
