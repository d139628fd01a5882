"""A client with the official Python SDK of Anthropic.

Run as: python anthropic_sdk.py MODELS, with the address of the door in ORCH_URL and a token in ORCH_TOKEN. MODELS names what is
to be asked, as JSON: a model for each part that it plays below. Tells on standard output, as JSON, which stories went
well; ends with an error at the first that did not.
"""

import base64
import json
import os
import sys

import anthropic

MODELS = json.loads(sys.argv[1])
URL, TOKEN = os.environ["ORCH_URL"], os.environ["ORCH_TOKEN"]
# Known clients try again by themselves; here each answer is looked at.
client = anthropic.Anthropic(base_url=URL, api_key=TOKEN, max_retries=0, timeout=60)

HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
TOOLS = [{"name": "echo", "description": "Says it again", "input_schema": SCHEMA}]
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


def create(model, messages=HELLO, **more):
    return client.messages.create(model=model, max_tokens=100, messages=messages, **more)


@story
def models():
    listed = {model.id for model in client.models.list()}
    assert set(MODELS["all"]) <= listed, listed
    assert client.models.retrieve(MODELS["all"][0]).display_name == MODELS["all"][0]


@story
def messages():
    for model in MODELS["chat"]:
        answer = create(model, system="Be short")
        assert answer.content[0].text.startswith("All is well"), answer
        assert answer.stop_reason == "end_turn" and answer.usage.input_tokens > 0, answer
        assert answer._request_id, "the id of the request"
    # The SDK shows its token either way.
    bearer = anthropic.Anthropic(base_url=URL, auth_token=TOKEN, api_key=None, max_retries=0)
    assert bearer.messages.create(model=MODELS["chat"][0], max_tokens=9, messages=HELLO).content


@story
def streaming():
    for model in MODELS["chat"]:
        with client.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert text.startswith("All is well") and final.content[0].text == text, (model, final)
        assert final.stop_reason == "end_turn" and final.usage.output_tokens > 0, (model, final)
        with create(model, stream=True) as stream:
            kinds = [event.type for event in stream]
        assert kinds[0] == "message_start" and kinds[-1] == "message_stop", (model, kinds)


@story
def tools():
    for model in MODELS["tools"]:
        answer = create(model, tools=TOOLS)
        call = next(block for block in answer.content if block.type == "tool_use")
        assert answer.stop_reason == "tool_use" and (call.name, call.input) == ("echo", {"message": "hello"}), answer
        with client.messages.stream(model=model, max_tokens=100, messages=HELLO, tools=TOOLS) as stream:
            for _ in stream:
                pass
            streamed = next(block for block in stream.get_final_message().content if block.type == "tool_use")
        assert streamed.input == {"message": "hello"}, (model, streamed)
        said = [
            *HELLO,
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "hello"}]},
        ]
        assert create(model, said, tools=TOOLS).stop_reason == "end_turn", model


@story
def thinking():
    for model in MODELS["thinking"]:
        answer = create(model)
        assert [block.type for block in answer.content] == ["thinking", "text"], (model, answer)
        assert answer.content[0].thinking == "That is easy.", answer


@story
def images():
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "text", "text": "what is it?"},
    ]
    for model in MODELS["images"]:
        assert create(model, [{"role": "user", "content": parts}]).content, model


@story
def counting():
    for model in MODELS["chat"]:
        short = client.messages.count_tokens(model=model, messages=HELLO)
        long = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "hello " * 500}])
        assert 0 < short.input_tokens < long.input_tokens, (short, long)


@story
def errors():
    wrong = client.with_options(api_key="orch_" + "0" * 64)
    refused(
        anthropic.AuthenticationError,
        lambda: wrong.messages.create(model=MODELS["chat"][0], max_tokens=9, messages=HELLO),
    )
    refused(anthropic.NotFoundError, lambda: create("absent"))
    for model in MODELS["busy"]:
        error = refused(anthropic.RateLimitError, lambda: create(model))
        assert int(error.response.headers["retry-after"]) > 0, error.response.headers
        assert error.body["error"]["type"] == "rate_limit_error", error.body
    for model in MODELS["bad"]:
        error = refused(anthropic.BadRequestError, lambda: create(model))
        assert error.body["type"] == "error", error.body
    for model in MODELS["failing"]:
        refused(anthropic.InternalServerError, lambda: create(model))
    # An answer that breaks off is no end of one.
    for model in MODELS["breaking"]:
        with create(model, stream=True) as stream:
            error = refused(anthropic.APIStatusError, lambda: list(stream))
        assert "broke" in str(error), error


@story
def cancelled():
    for model in MODELS["slow"]:
        with client.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
            next(iter(stream.text_stream))


for function in STORIES:
    function()
print(json.dumps([function.__name__ for function in STORIES]))
