//! Where requests go: `https` only, but for loopback, so that a credential never travels in clear.

use std::fmt;

use url::{Host, Url};

/// The address of the service when none is given. It never comes from a repository.
pub const SERVICE_URL: &str = "https://api.anyreach.ai";

/// An address that requests may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why an address was refused. No variant shows the address itself where it could hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is no URL.
    #[error("`{text}` is not a valid URL: {reason}")]
    Unreadable {
        /// What was given.
        text: String,
        /// What the parser said.
        reason: String,
    },
    /// A scheme is missing.
    #[error("`{0}` has no scheme: write `https://{0}`")]
    NoScheme(String),
    /// Plain HTTP to another machine, or something that is not HTTP.
    #[error(
        "the address begins with `{scheme}://`, but only `https://` keeps the token safe (`http://` to loopback only)"
    )]
    Insecure {
        /// The scheme.
        scheme: String,
    },
    /// It names no machine.
    #[error("the address has no host")]
    NoHost,
    /// A name or a password stands before the host.
    #[error("the address contains a user name or a password: tokens come from the environment")]
    UserInfo,
    /// It has a query or a fragment.
    #[error("the address has a query or a fragment: give only the host and path")]
    Query,
}

impl BaseUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let text = text.trim();
        let mut url = match Url::parse(text) {
            Ok(url) => url,
            Err(_) if text.contains('@') => return Err(BaseUrlError::UserInfo),
            Err(url::ParseError::RelativeUrlWithoutBase) if !text.is_empty() => {
                return Err(BaseUrlError::NoScheme(text.to_owned()));
            }
            Err(url::ParseError::EmptyHost) => return Err(BaseUrlError::NoHost),
            Err(error) => return Err(BaseUrlError::Unreadable { text: text.to_owned(), reason: error.to_string() }),
        };
        // `localhost:7878` parses as the scheme `localhost`: what was meant is plain.
        if url.cannot_be_a_base() {
            return Err(if text.contains('@') {
                BaseUrlError::UserInfo
            } else {
                BaseUrlError::NoScheme(text.to_owned())
            });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.host().is_none() {
            return Err(BaseUrlError::NoHost);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let base = Self(url);
        match base.0.scheme() {
            "https" => Ok(base),
            "http" if base.is_loopback() => Ok(base),
            scheme => Err(BaseUrlError::Insecure { scheme: scheme.to_owned() }),
        }
    }

    /// The host, with its port where it is not the usual one: what plans are made for.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether the address is this machine. Proxies are not asked then.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The address of a request. `None` where `path` would not arrive as it was written: a step `..` in an id must
    /// never turn one request into another.
    pub fn join(&self, path: &str, query: &[(String, String)]) -> Option<Url> {
        let wanted = format!("{}{path}", self.0.path().trim_end_matches('/'));
        if !wanted.starts_with('/') {
            return None;
        }
        let mut url = self.0.clone();
        url.set_path(&wanted);
        if url.path() != wanted {
            return None;
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Some(url)
    }
}

/// Whether the value of a `Host` header names this machine, with any port and nothing else.
pub fn is_loopback_authority(authority: &str) -> bool {
    is_loopback_origin(&format!("http://{authority}"))
}

/// Whether the value of an `Origin` header is a page that this machine served itself. `null` is nobody's.
pub fn is_loopback_origin(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    let says_more = !url.username().is_empty()
        || url.password().is_some()
        || url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some();
    matches!(url.scheme(), "http" | "https") && !says_more && is_loopback(&url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback_however_a_header_spells_it() {
        for here in ["127.0.0.1", "127.8.8.8:7878", "[::1]", "[::1]:1", "localhost", "LOCALHOST:65535"] {
            assert!(is_loopback_authority(here), "{here}");
        }
        for other in [
            "",
            "evil.test",
            "127.0.0.1.evil.test:80",
            "localhost.evil.test",
            "evil.test@localhost",
            "localhost/x",
            "localhost?x",
            "localhost#x",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "localhost:99999",
        ] {
            assert!(!is_loopback_authority(other), "{other}");
        }
        assert!(is_loopback_origin("http://localhost:3000") && is_loopback_origin("https://127.0.0.1"));
        for other in ["null", "https://evil.test", "file://", "chrome-extension://localhost"] {
            assert!(!is_loopback_origin(other), "{other}");
        }
    }

    #[test]
    fn https_is_taken_and_http_to_loopback_only() {
        for good in
            [SERVICE_URL, "https://x.test/api/", "http://127.0.0.1:7878", "http://[::1]:1", "http://localhost:2"]
        {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        for bad in ["http://api.anyreach.ai", "ftp://127.0.0.1", "http://127.0.0.1.evil.test", "http://10.0.0.1"] {
            assert!(matches!(BaseUrl::parse(bad), Err(BaseUrlError::Insecure { .. })), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_its_password() {
        assert_eq!(BaseUrl::parse("api.anyreach.ai"), Err(BaseUrlError::NoScheme("api.anyreach.ai".into())));
        assert_eq!(BaseUrl::parse("localhost:7878"), Err(BaseUrlError::NoScheme("localhost:7878".into())));
        let error = BaseUrl::parse("https://me:hunter2@x.test").unwrap_err();
        assert_eq!(error, BaseUrlError::UserInfo);
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(BaseUrl::parse("me:hunter2@x.test"), Err(BaseUrlError::UserInfo));
        assert_eq!(BaseUrl::parse("//me:hunter2@x.test"), Err(BaseUrlError::UserInfo));
    }

    #[test]
    fn a_step_up_in_a_path_is_no_address() {
        let base = BaseUrl::parse("https://x.test/api/").unwrap();
        assert_eq!(base.join("/core/agents/a%2Fb", &[]).unwrap().as_str(), "https://x.test/api/core/agents/a%2Fb");
        assert_eq!(base.join("/core/agents/../x", &[]), None);
        assert_eq!(base.join("/core/agents/%2e%2e", &[]), None);
        assert_eq!(base.host(), "x.test");
        assert_eq!(BaseUrl::parse("http://127.0.0.1:9").unwrap().host(), "127.0.0.1:9");
        let query = [("cursor".to_owned(), "a+b=".to_owned())];
        assert_eq!(base.join("/a", &query).unwrap().as_str(), "https://x.test/api/a?cursor=a%2Bb%3D");
    }
}
