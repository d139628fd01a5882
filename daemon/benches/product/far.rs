//! What runs beside the daemon in a bench: the servers themselves, nginx as the least that can stand in front of one, and
//! peers that people install.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::processor_time;
use crate::support::daemon::{eventually, say};
use crate::support::outside;

/// The peer of the gateway: a proxy of FastMCP.
const PEER: &str = "4.1.2";
/// The peer of the door to the models: a proxy of LiteLLM.
const LITELLM: &str = "1.108.7";

/// A program that ends with the bench.
pub(crate) struct Far {
    child: Child,
    pub(crate) address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Far {
    /// A server of the workspace over HTTP.
    pub(crate) fn server(program: &str, arguments: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name(program);
        let address = free();
        let mut command = Command::new(program);
        command.args(["--http", &address.to_string()]).args(arguments);
        Self::run(command, address, tempfile::tempdir().expect("a directory"))
    }

    /// nginx in front of a server, if it is installed.
    pub(crate) fn nginx(of: SocketAddr) -> Option<Self> {
        if !outside::succeeds("nginx -v") {
            say("skipped: nginx beside the gateway, which is not installed");
            return None;
        }
        let (directory, address) = (tempfile::tempdir().expect("a directory"), free());
        let place = directory.path().display();
        let settings = format!(
            "worker_processes auto; daemon off; pid {place}/pid; error_log stderr crit;\n\
             events {{ worker_connections 2048; }}\n\
             http {{\n\
               access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
               fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;\n\
               keepalive_requests 1000000;\n\
               upstream server {{ server {of}; keepalive 512; keepalive_requests 1000000; }}\n\
               server {{\n\
                 listen {address};\n\
                 location / {{\n\
                   proxy_pass http://server; proxy_http_version 1.1; proxy_buffering off;\n\
                   proxy_set_header Connection \"\"; proxy_set_header Host {of};\n\
                 }}\n\
               }}\n\
             }}\n"
        );
        let file = directory.path().join("nginx.conf");
        fs::write(&file, settings).expect("a file");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(directory.path()).arg("-c").arg(file);
        Some(Self::run(command, address, directory))
    }

    /// The peer in front of a server, if it can be had.
    pub(crate) fn peer(of: SocketAddr) -> Option<Self> {
        let python = outside::python(&format!("fastmcp-{PEER}"), &[&format!("fastmcp=={PEER}")])?;
        let (directory, address) = (tempfile::tempdir().expect("a directory"), free());
        let script = "import sys\n\
            from fastmcp.server import create_proxy\n\
            proxy = create_proxy(sys.argv[1])\n\
            proxy.run(transport='http', host='127.0.0.1', port=int(sys.argv[2]), show_banner=False, log_level='ERROR')\n";
        let mut command = Command::new(python);
        command.args(["-c", script, &format!("http://{of}/mcp"), &address.port().to_string()]);
        command.stderr(Stdio::null());
        Some(Self::run(command, address, directory))
    }

    /// A proxy of LiteLLM in front of a provider, if it can be had: with the provider's key as its own, and models by other names.
    pub(crate) fn litellm(of: SocketAddr, key: &str, models: &[(&str, &str)]) -> Option<Self> {
        let python = outside::python(
            &format!("python-litellm-{LITELLM}"),
            &[&format!("litellm[proxy]=={LITELLM}")],
        )?;
        let (directory, address) = (tempfile::tempdir().expect("a directory"), free());
        let model = |(name, model): &(&str, &str)| {
            json!({
                "model_name": name,
                "litellm_params": {"model": format!("openai/{model}"), "api_key": key, "api_base": format!("http://{of}/v1")},
            })
        };
        let models: Vec<Value> = models.iter().map(model).collect();
        let settings = json!({"model_list": models, "general_settings": {"master_key": key}});
        // JSON is YAML.
        let file = directory.path().join("config.yaml");
        fs::write(&file, settings.to_string()).expect("a file");
        let mut command = Command::new(python.with_file_name("litellm"));
        command.arg("--config").arg(file);
        command.args([
            "--host",
            "127.0.0.1",
            "--port",
            &address.port().to_string(),
            "--telemetry",
            "False",
        ]);
        command
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_LOG", "ERROR")
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Some(Self::run(command, address, directory))
    }

    fn run(mut command: Command, address: SocketAddr, directory: tempfile::TempDir) -> Self {
        let child = command.stdin(Stdio::null()).spawn().expect("the program starts");
        eventually("the program serves", || TcpStream::connect(address).is_ok());
        Self {
            child,
            address,
            _directory: directory,
        }
    }

    /// Processor time of it and its children.
    pub(crate) fn processor_time(&self) -> Duration {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        children.chain([pid]).map(processor_time).sum()
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // Asked, not killed: nginx ends its workers.
        crate::support::processes::signal(self.child.id(), rustix::process::Signal::TERM);
        let _gone = self.child.wait();
    }
}

/// An address that nobody uses.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}
