//! The clients that people have: the official SDKs of OpenAI and of Anthropic, through the real daemon, against scripted models,
//! against a provider of ours in both dialects, and against a proxy that nobody here wrote.
//!
//! What they do stands in `sdks/*.py`; here it is said which models play which part.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::{KEY, keys, model, provider, scripted, seen};
use crate::e2e::{condition, manifest};
use crate::support::daemon::{Home, Output, eventually};
use crate::support::http::Request;
use crate::support::outside;

/// Versions of the clients.
const OPENAI: &str = "3.57.0";
const ANTHROPIC: &str = "2.14.0";
/// The version of the proxy.
const LITELLM: &str = "1.108.7";

/// Both clients, if they can be had.
fn clients() -> Option<PathBuf> {
    outside::python(
        &format!("python-openai-{OPENAI}-anthropic-{ANTHROPIC}"),
        &[&format!("openai=={OPENAI}"), &format!("anthropic=={ANTHROPIC}")],
    )
}

/// Has a client do all that its script says; which stories went well.
fn told(python: &Path, home: &Home, script: &str, models: &Value) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/e2e/inference/sdks")
        .join(script);
    let child = Command::new(python)
        .arg(path)
        .arg(models.to_string())
        .env("ORCH_URL", format!("http://{}", home.address()))
        .env("ORCH_TOKEN", home.token())
        // What this user has set for the real providers is not for here.
        .env_remove("OPENAI_BASE_URL")
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("ANTHROPIC_AUTH_TOKEN")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the SDK runs");
    let output = Output::of(child).expect(0);
    serde_json::from_str(&output.stdout).expect("the SDK tells JSON")
}

/// What scripted models answer: a text, or a call and then a text.
fn scripts() -> [String; 2] {
    let text = json!({"text": "All is well that ends well"});
    let call = json!({"toolCalls": [{"name": "echo", "arguments": {"message": "hello"}}]});
    [
        scripted("script", &json!([text])),
        scripted("script-tools", &json!([call, text])),
    ]
}

#[test]
fn clients_of_openai_find_everything_as_they_know_it() {
    let Some(python) = clients() else { return };
    let (home, far) = (Home::new().started(), provider());
    let busy = json!([{"text": "All is well"}]);
    let limited = json!({"provider": "scripted", "model": "none", "script": busy, "limits": {"requestsPerMinute": 1}});
    home.apply(
        &[
            &[keys(), manifest("Llm", "limited", &limited)][..],
            &scripts()[..],
            &[
                model("gpt", &far, "openai", "plain.chunks.20", &json!({})),
                model("same", &far, "openai-compatible", "chunks.20", &json!({})),
                model("claude", &far, "anthropic", "chunks.20", &json!({})),
                model("claude-eyes", &far, "anthropic", "plain", &json!({})),
                model("gpt-tools", &far, "openai-compatible", "tools", &json!({})),
                model("claude-tools", &far, "anthropic", "tools.reasoning", &json!({})),
                model("throttled", &far, "openai", "status.429", &json!({})),
                model("bad", &far, "openai", "status.400", &json!({})),
                model("claude-bad", &far, "anthropic", "status.400", &json!({})),
                model("failing", &far, "openai", "status.500", &json!({})),
                model("flaky", &far, "openai", "flaky.3", &json!({})),
                model("breaking", &far, "openai", "break.3.slow.20", &json!({})),
                model("claude-breaking", &far, "anthropic", "break.5.slow.20", &json!({})),
                model("slow", &far, "openai", "chunks.10000.slow.20", &json!({})),
                model("claude-slow", &far, "anthropic", "chunks.10000.slow.20", &json!({})),
            ][..],
        ]
        .concat()
        .concat(),
    );
    // Its one request of this minute.
    super::post(&home, "/v1/chat/completions", &super::chat("limited"))
        .send()
        .expect(200);
    let models = json!({
        "all": ["script", "gpt", "claude"],
        "chat": ["script", "gpt", "same", "claude"],
        "tools": ["script-tools", "gpt-tools", "claude-tools"],
        "images": ["claude-eyes"],
        "responses": ["script", "same", "claude"],
        "embeddings": ["gpt", "same"],
        "busy": ["limited", "throttled"],
        "bad": ["bad", "claude-bad"],
        "failing": ["failing"],
        "breaking": ["breaking", "claude-breaking"],
        "throttled": ["flaky"],
        "slow": ["slow", "claude-slow"],
    });
    let stories = told(&python, &home, "openai_sdk.py", &models);
    let expected = [
        "models",
        "chat",
        "streaming",
        "tools",
        "images",
        "responses",
        "embeddings",
        "errors",
        "patience",
        "cancelled",
    ];
    assert_eq!(stories, expected);
    eventually("nothing goes on for clients that are gone", || {
        seen(&far)["underWay"] == 0
    });
    assert!(!home.logs().contains(KEY));
}

#[test]
fn clients_of_anthropic_find_everything_as_they_know_it() {
    let Some(python) = clients() else { return };
    let (home, far) = (Home::new().started(), provider());
    let limited = json!({
        "provider": "scripted", "model": "none", "script": [{"text": "All is well"}], "limits": {"requestsPerMinute": 1},
    });
    home.apply(
        &[
            &[keys(), manifest("Llm", "limited", &limited)][..],
            &scripts()[..],
            &[
                model("claude", &far, "anthropic", "chunks.20", &json!({})),
                model("gpt", &far, "openai", "chunks.20", &json!({})),
                model("gpt-eyes", &far, "openai", "plain", &json!({})),
                model("claude-tools", &far, "anthropic", "tools", &json!({})),
                model("gpt-tools", &far, "deepseek", "tools", &json!({})),
                model("claude-thinks", &far, "anthropic", "reasoning", &json!({})),
                model("gpt-thinks", &far, "vllm", "reason", &json!({})),
                model("throttled", &far, "anthropic", "status.429", &json!({})),
                model("bad", &far, "anthropic", "status.400", &json!({})),
                model("gpt-bad", &far, "openai", "status.400", &json!({})),
                model("failing", &far, "anthropic", "status.500", &json!({})),
                model("breaking", &far, "anthropic", "break.5.slow.20", &json!({})),
                model("gpt-breaking", &far, "openai", "break.3.slow.20", &json!({})),
                model("slow", &far, "anthropic", "chunks.10000.slow.20", &json!({})),
                model("gpt-slow", &far, "openai", "chunks.10000.slow.20", &json!({})),
            ][..],
        ]
        .concat()
        .concat(),
    );
    super::post(&home, "/v1/messages", &super::messages("limited"))
        .send()
        .expect(200);
    let models = json!({
        "all": ["script", "gpt", "claude"],
        "chat": ["script", "claude", "gpt"],
        "tools": ["script-tools", "claude-tools", "gpt-tools"],
        "thinking": ["claude-thinks", "gpt-thinks"],
        "images": ["gpt-eyes"],
        "busy": ["limited", "throttled"],
        "bad": ["bad", "gpt-bad"],
        "failing": ["failing"],
        "breaking": ["breaking", "gpt-breaking"],
        "slow": ["slow", "gpt-slow"],
    });
    let stories = told(&python, &home, "anthropic_sdk.py", &models);
    let expected = [
        "models",
        "messages",
        "streaming",
        "tools",
        "thinking",
        "images",
        "counting",
        "errors",
        "cancelled",
    ];
    assert_eq!(stories, expected);
    eventually("nothing goes on for clients that are gone", || {
        seen(&far)["underWay"] == 0
    });
    assert!(!home.logs().contains(KEY));
}

/// What the proxy serves.
const CONFIG: &str = r#"
model_list:
  - model_name: mock
    litellm_params: {model: openai/mock, api_key: none, mock_response: "All is well that ends well"}
  - model_name: failing
    litellm_params: {model: openai/mock, api_key: none, mock_response: "litellm.InternalServerError"}
general_settings: {master_key: sk-of-the-provider}
router_settings: {num_retries: 0, disable_cooldowns: true}
"#;

/// A proxy that serves; ends with the test.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    fn start(home: &Home) -> Option<Self> {
        let python = outside::python(
            &format!("python-litellm-{LITELLM}"),
            &[&format!("litellm[proxy]=={LITELLM}")],
        )?;
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let config = home.write("litellm.yaml", CONFIG);
        let log = std::fs::File::create(home.path("litellm.log")).expect("a log");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(python.with_file_name("litellm"))
            .arg("--config")
            .arg(config)
            .args([
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--telemetry",
                "False",
            ])
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("HOME", home.path("."))
            .current_dir(home.path("."))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the proxy starts");
        let proxy = Self { child, port };
        let address = ([127, 0, 0, 1], port).into();
        eventually("the proxy serves", || {
            let alive = Request::new(address, "GET", "/health/liveliness").try_send();
            alive.is_ok_and(|answer| answer.status == 200)
        });
        Some(proxy)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Killing fails only when it has ended already.
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[test]
fn a_proxy_that_nobody_here_wrote_is_asked_like_any_provider() {
    let Some(python) = clients() else { return };
    let home = Home::new().started();
    let Some(proxy) = Proxy::start(&home) else { return };
    let lite = |name: &str, provider: &str, model: &str| {
        let key = json!({"name": "keys", "key": "provider"});
        let spec = json!({"provider": provider, "model": model, "url": proxy.url(), "apiKeyRef": key});
        manifest("Llm", name, &spec)
    };
    let scripted = json!([{"text": "All is well"}]);
    let limited =
        json!({"provider": "scripted", "model": "none", "script": scripted, "limits": {"requestsPerMinute": 1}});
    home.apply(
        &[
            keys(),
            manifest("Llm", "limited", &limited),
            lite("lite", "openai-compatible", "mock"),
            lite("lite-claude", "anthropic", "mock"),
            lite("lite-failing", "openai-compatible", "failing"),
            lite("lite-absent", "openai-compatible", "absent"),
        ]
        .concat(),
    );
    home.until_ready(&["llm/lite", "llm/lite-claude"]);
    let available = condition(&home.get("llms/lite"), "Available");
    assert_eq!(available, ("True".to_owned(), "Answers".to_owned()));
    super::post(&home, "/v1/chat/completions", &super::chat("limited"))
        .send()
        .expect(200);
    let models = json!({
        "all": ["lite", "lite-claude"],
        "chat": ["lite"],
        "tools": [],
        "images": ["lite"],
        "responses": ["lite"],
        "embeddings": [],
        "busy": ["limited"],
        "bad": ["lite-absent"],
        "failing": ["lite-failing"],
        "breaking": [],
        "throttled": [],
        "slow": ["lite"],
    });
    assert_eq!(told(&python, &home, "openai_sdk.py", &models).len(), 10);
    let models = json!({
        "all": ["lite"],
        "chat": ["lite"],
        "tools": [],
        "thinking": [],
        "images": ["lite"],
        "busy": ["limited"],
        "bad": ["lite-absent"],
        "failing": [],
        "breaking": [],
        "slow": ["lite"],
    });
    assert_eq!(told(&python, &home, "anthropic_sdk.py", &models).len(), 9);
    // It serves Anthropic's words as well.
    let answer = super::post(&home, "/v1/messages", &super::messages("lite-claude"))
        .send()
        .expect(200)
        .json();
    assert_eq!(answer["content"][0]["text"], "All is well that ends well", "{answer}");
    let answer = super::post(&home, "/v1/chat/completions", &super::chat("lite-claude"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        answer["choices"][0]["message"]["content"], "All is well that ends well",
        "{answer}"
    );
}
