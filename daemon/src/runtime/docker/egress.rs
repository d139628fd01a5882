//! The way out for a container that may reach some hosts only: an HTTP proxy of its own.
//!
//! The container is on a network from which nothing is reached but this machine's end of it; there the proxy listens, on a
//! port of its own for each copy, and speaks with that copy's address alone. It opens tunnels (`CONNECT`), and forwards
//! plain HTTP, to hosts that the copy may reach; everything else is answered with 403. Names are resolved here, and one that
//! leads to this machine itself or to its link is refused, unless the very address is allowed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use orch_shared::kinds::server::AllowedHost;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, SetOnce};
use tokio_util::task::AbortOnDropHandle;

use super::super::log::Log;
use super::request::{Request, Target};

/// The longest head of a request.
const LONGEST: usize = 32 << 10;

/// How long a client may take to say what it wants, and a host to be reached.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many connections one copy may have open.
const CONNECTIONS: usize = 256;

/// The proxy of a copy; it ends when this is dropped.
pub(super) struct Proxy {
    address: SocketAddr,
    client: Arc<SetOnce<IpAddr>>,
    _serving: AbortOnDropHandle<()>,
}

/// What a proxy decides by.
struct Rules {
    allowed: Vec<AllowedHost>,
    client: Arc<SetOnce<IpAddr>>,
    log: Log,
}

impl Proxy {
    /// Begins to listen on this machine's end of a network; on a port that was used before, where there was one.
    pub(super) async fn start(
        gateway: IpAddr,
        port: Option<u16>,
        allowed: &[AllowedHost],
        log: &Log,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((gateway, port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        let client = Arc::new(SetOnce::new());
        let rules = Arc::new(Rules {
            allowed: allowed.to_vec(),
            client: Arc::clone(&client),
            log: log.clone(),
        });
        let serving = AbortOnDropHandle::new(tokio::spawn(serve(listener, rules)));
        Ok(Self {
            address,
            client,
            _serving: serving,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The one address that it speaks with; whoever comes before it is told waits.
    pub(super) fn belongs_to(&self, client: IpAddr) {
        // Told once.
        let _known = self.client.set(client);
    }

    /// What tells the programs in the container of it.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let url = format!("http://{}", self.address);
        let names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
        let mut variables: Vec<_> = names.map(|name| (name.to_owned(), url.clone())).into();
        for name in ["NO_PROXY", "no_proxy"] {
            variables.push((name.to_owned(), "localhost,127.0.0.1,::1".to_owned()));
        }
        // Node.js asks for its proxy only when it is told to.
        variables.push(("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned()));
        variables
    }
}

async fn serve(listener: TcpListener, rules: Arc<Rules>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection to a proxy was lost");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let rules = Arc::clone(&rules);
        connections.spawn(async move {
            let client = tokio::time::timeout(PATIENCE, rules.client.wait()).await;
            if client.ok() != Some(&from.ip()) {
                return;
            }
            // A client or a host that hangs up in the midst has its reasons.
            let _hung_up = one(stream, &rules).await;
            drop(place);
        });
    }
}

/// Why a request is not forwarded.
enum Refusal {
    Unreadable,
    NotAllowed(String),
    Unreachable(String),
}

async fn one(mut client: TcpStream, rules: &Rules) -> io::Result<()> {
    let asked = tokio::time::timeout(PATIENCE, ask(&mut client)).await;
    let request = match asked {
        Ok(Ok(Some(request))) => request,
        Ok(Ok(None)) => return answer(client, &Refusal::Unreadable).await,
        Ok(Err(error)) => return Err(error),
        Err(_) => return Ok(()),
    };
    match open(&request.target, rules).await {
        Err(refusal) => {
            if let Refusal::NotAllowed(what) = &refusal {
                rules.log.note(&format!("network: {what}"));
            }
            answer(client, &refusal).await
        }
        Ok(mut host) => {
            host.set_nodelay(true)?;
            client.set_nodelay(true)?;
            match &request.forwarded {
                None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
                Some(head) => host.write_all(head).await?,
            }
            host.write_all(&request.rest).await?;
            tokio::io::copy_bidirectional(&mut client, &mut host).await?;
            Ok(())
        }
    }
}

/// Reads what a client wants; nothing when that cannot be understood.
async fn ask(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Request>> {
    let mut read = Vec::with_capacity(1024);
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(Request::parse(&read, end + 4));
        }
        if read.len() > LONGEST || client.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    }
}

/// Connects to a host, if that is allowed.
async fn open(target: &Target, rules: &Rules) -> Result<TcpStream, Refusal> {
    let Target { host, port } = target;
    if !rules.allowed.iter().any(|allowed| allowed.covers(host, *port)) {
        return Err(Refusal::NotAllowed(format!(
            "{host}:{port} is not in spec.network.allow"
        )));
    }
    let is_literal = host.parse::<IpAddr>().is_ok();
    let connecting = async {
        let found = tokio::net::lookup_host((host.as_str(), *port))
            .await
            .map_err(|error| Refusal::Unreachable(format!("{host}: {error}")))?;
        let mut last = Refusal::Unreachable(format!("{host} has no address"));
        for address in found {
            if !is_literal && is_near(address.ip()) {
                last = near(host, address.ip());
                continue;
            }
            match TcpStream::connect(address).await {
                // What is reached from its own address is this machine, whatever the address.
                Ok(stream) if !is_literal && stream.local_addr().is_ok_and(|own| own.ip() == address.ip()) => {
                    last = near(host, address.ip());
                }
                Ok(stream) => return Ok(stream),
                Err(error) => last = Refusal::Unreachable(format!("{host}:{port}: {error}")),
            }
        }
        Err(last)
    };
    tokio::time::timeout(PATIENCE, connecting)
        .await
        .unwrap_or_else(|_| Err(Refusal::Unreachable(format!("{host}:{port} does not answer"))))
}

fn near(host: &str, address: IpAddr) -> Refusal {
    Refusal::NotAllowed(format!("{host} leads to {address}, which is this machine or its link"))
}

/// Whether an address is this machine, or something that only this machine's link leads to.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_near(mapped.into()),
            None => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_unicast_link_local()
                    || address.is_multicast()
            }
        },
    }
}

async fn answer(mut client: TcpStream, refusal: &Refusal) -> io::Result<()> {
    let (status, text) = match refusal {
        Refusal::Unreadable => ("400 Bad Request", "this is an HTTP proxy"),
        Refusal::NotAllowed(what) => ("403 Forbidden", what.as_str()),
        Refusal::Unreachable(what) => ("502 Bad Gateway", what.as_str()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}\n",
        text.len() + 1
    );
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near() {
        for (address, near) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("0.0.0.0", true),
            ("169.254.169.254", true),
            ("224.0.0.1", true),
            ("10.0.0.1", false),
            ("93.184.216.34", false),
            ("::1", true),
            ("fe80::1", true),
            ("::ffff:127.0.0.1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_near(address.parse().expect("an address")), near, "{address}");
        }
    }
}
