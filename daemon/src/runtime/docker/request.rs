//! What a client asks of a proxy: the head of an HTTP/1.1 request, read strictly, and written anew for the host.

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// In lower case, without brackets and without a dot at the end.
    pub(super) host: String,
    pub(super) port: u16,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) target: Target,
    /// The head for the host; nothing for a tunnel.
    pub(super) forwarded: Option<Vec<u8>>,
    /// What was read beyond the head.
    pub(super) rest: Vec<u8>,
}

/// Headers that are between the client and the proxy.
const BETWEEN_US: &[&str] = &[
    "host",
    "connection",
    "proxy-connection",
    "proxy-authorization",
    "keep-alive",
    "upgrade",
];

impl Request {
    /// Reads a head that ends at `end`.
    pub(super) fn parse(read: &[u8], end: usize) -> Option<Self> {
        let (head, rest) = read.split_at_checked(end)?;
        let head = std::str::from_utf8(head).ok()?;
        let mut lines = head.trim_end_matches("\r\n").split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
        let is_known = words.next().is_none() && matches!(version, "HTTP/1.1" | "HTTP/1.0");
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_known || !is_method || head.bytes().any(|byte| byte == 0 || byte == 0x7f) {
            return None;
        }
        let rest = rest.to_vec();
        if method == "CONNECT" {
            return Some(Self {
                target: Target::parse(uri, None)?,
                forwarded: None,
                rest,
            });
        }
        let (scheme, after) = uri.split_at_checked("http://".len())?;
        if !scheme.eq_ignore_ascii_case("http://") {
            return None;
        }
        let cut = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, path) = after.split_at(cut);
        let target = Target::parse(authority, Some(80))?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        // One request and no more, so that the host that was asked for is the one that is spoken to.
        let mut forwarded = format!("{method} {slash}{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
        for line in lines {
            let (name, _) = line.split_once(':')?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_name || line.contains(['\r', '\n']) {
                return None;
            }
            if !BETWEEN_US.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
                forwarded.push_str(line);
                forwarded.push_str("\r\n");
            }
        }
        forwarded.push_str("\r\n");
        Some(Self {
            target,
            forwarded: Some(forwarded.into_bytes()),
            rest,
        })
    }
}

impl Target {
    /// Reads `host:port`; the port may be left open where there is a usual one.
    fn parse(authority: &str, usual: Option<u16>) -> Option<Self> {
        if authority.contains('@') {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']')?;
                let host: std::net::Ipv6Addr = host.parse().ok()?;
                let port = match after.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if after.is_empty() => None,
                    None => return None,
                };
                (host.to_string(), port)
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host.to_ascii_lowercase(), Some(port)),
                None => (authority.to_ascii_lowercase(), None),
            },
        };
        let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return None;
        }
        let port = match port {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().filter(|port| *port > 0)?
            }
            Some(_) => return None,
            None => usual?,
        };
        Some(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, u16, Option<String>, usize)> {
        let end = text.find("\r\n\r\n")? + 4;
        let request = Request::parse(text.as_bytes(), end)?;
        let forwarded = request.forwarded.map(|head| String::from_utf8(head).expect("text"));
        Some((request.target.host, request.target.port, forwarded, request.rest.len()))
    }

    #[test]
    fn tunnels() {
        for (line, expected) in [
            ("CONNECT A.example.com:443 HTTP/1.1", Some(("a.example.com", 443))),
            ("CONNECT a.example.com.:443 HTTP/1.1", Some(("a.example.com", 443))),
            ("CONNECT [::1]:8443 HTTP/1.1", Some(("::1", 8443))),
            ("CONNECT a.example.com HTTP/1.1", None),
            ("CONNECT a:0 HTTP/1.1", None),
            ("CONNECT a:443 HTTP/2", None),
            ("CONNECT u@a:443 HTTP/1.1", None),
            ("CONNECT a:+443 HTTP/1.1", None),
            ("CONNECT a:443 HTTP/1.1 x", None),
        ] {
            let seen = parsed(&format!("{line}\r\n\r\nrest"));
            let seen = seen.as_ref().map(|(host, port, _, _)| (host.as_str(), *port));
            assert_eq!(seen, expected, "{line}");
        }
    }

    #[test]
    fn plain_requests_are_written_anew() {
        let seen = parsed(
            "POST http://A.example.com:81/p?q=1 HTTP/1.1\r\nHost: evil.test\r\nProxy-Authorization: x\r\n\
             Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        );
        let head = "POST /p?q=1 HTTP/1.1\r\nHost: A.example.com:81\r\nConnection: close\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(seen, Some(("a.example.com".to_owned(), 81, Some(head.to_owned()), 2)));
        for wrong in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET https://a/ HTTP/1.1\r\n\r\n",
            "GET http://u:p@a/ HTTP/1.1\r\n\r\n",
            "GET http:///x HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\n folded: x\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nno colon\r\n\r\n",
            "get http://a/ HTTP/1.1\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong:?}");
        }
    }
}
