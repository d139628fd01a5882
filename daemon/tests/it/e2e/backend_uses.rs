//! Values of a backend where no child has them: in headers of remote servers, and as keys of models.

use std::io::{Read as _, Write as _};

use serde_json::json;

use super::backends::{NEXT, VALUE, backend, nowhere, secret};
use super::manifest;
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::vault::Vault;

/// Headers of remote servers and keys of models come from a backend like variables do, at the moment of use.
#[test]
fn headers_and_keys_of_models_come_from_a_backend() {
    let (vault, token) = Vault::set_up("team", "orch");
    let home = Home::new().started();
    let far = Far::start("orch-model", "--http", &["--key", VALUE]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let remote = listener.local_addr().expect("an address");
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let _gone =
                stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if told
                .send(String::from_utf8_lossy(&request[..length]).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    let by = json!({"secretRef": {"name": "keys", "key": "token"}});
    let headers = json!([{"name": "X-Key", "valueFrom": by}]);
    let server = json!({"remote": {"url": format!("http://{remote}/mcp"), "headers": headers}});
    let llm = json!({
        "provider": "openai", "model": "chunks.3", "url": far.url(""),
        "apiKeyRef": {"name": "keys", "key": "token"},
    });
    home.apply(
        &[
            backend(&vault, &token, json!({})),
            secret("keys", json!({"token": VALUE})),
            manifest("Server", "far", &server),
            manifest("Llm", "far", &llm),
        ]
        .concat(),
    );
    let asked = |expected: u16| {
        let question = json!({"model": "far", "messages": [{"role": "user", "content": "x"}]});
        home.http("POST", "/v1/chat/completions")
            .json(&question)
            .send()
            .expect(expected);
    };
    asked(200);
    let request = heard
        .recv_timeout(std::time::Duration::from_secs(60))
        .expect("a request");
    assert!(
        request
            .to_ascii_lowercase()
            .contains(&format!("x-key: {VALUE}").to_ascii_lowercase()),
        "{request}"
    );
    // Another value is used as soon as it is there: the provider takes the old one only.
    home.apply(&secret("keys", json!({"token": NEXT})));
    eventually("the other key is sent", || {
        let question = json!({"model": "far", "messages": [{"role": "user", "content": "x"}]});
        home.http("POST", "/v1/chat/completions").json(&question).send().status != 200
    });
    eventually("the other header is sent", || {
        heard
            .try_iter()
            .any(|request| request.to_ascii_lowercase().contains(&NEXT.to_ascii_lowercase()))
    });
    nowhere(&home, &[VALUE, NEXT, &token]);
}
