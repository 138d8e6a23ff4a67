//! The transport over sockets: reqwest, with every one of its defaults that could hurt set by hand.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder};
use secrecy::ExposeSecret as _;

use crate::disk;

use super::base_url::BaseUrl;
use super::credential::Credential;
use super::message::{Method, Request, Response, TransportError};
use super::redact::plain;
use super::runtime::{Later, Transport};

/// The variable that names a file of further certificate authorities, for proxies that sign anew.
pub const CA_FILE_VARIABLE: &str = "ANYREACH_CA_FILE";

/// Carries the organization of a personal token.
const ORGANIZATION_HEADER: HeaderName = HeaderName::from_static("x-anyreach-org");

/// What the transport needs beside an address and a credential.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// How long a request may take in all, its body included.
    pub timeout: Duration,
    /// How large a body may be, in bytes and after decompression.
    pub body_limit: usize,
    /// A PEM file of certificate authorities that are believed beside the system's.
    pub extra_ca: Option<PathBuf>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            // A thousand agents with long metadata are a few megabytes.
            body_limit: 64_000_000,
            extra_ca: None,
        }
    }
}

/// Why the transport could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file of certificate authorities could not be read.
    #[error("could not read the certificate file `{}`", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: disk::ReadError,
    },
    /// It holds no certificate.
    #[error("`{}` contains no PEM certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The credential cannot be a header.
    #[error("the credential cannot be sent as a header")]
    Header,
    /// reqwest would not build.
    #[error("could not set up HTTPS")]
    Build {
        /// Why.
        source: reqwest::Error,
    },
}

/// Carries requests over HTTP. One of them serves the whole process: it holds the connections.
#[derive(Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    base: BaseUrl,
    timeout: Duration,
    body_limit: usize,
}

impl ReqwestTransport {
    /// Sets up a transport to `base`, with a credential that goes there and nowhere else.
    pub fn new(base: BaseUrl, credential: Option<&Credential>, options: &TransportOptions) -> Result<Self, SetupError> {
        install_provider();
        let headers = match credential {
            Some(credential) => credential_headers(credential).ok_or(SetupError::Header)?,
            None => HeaderMap::new(),
        };
        let extra = match &options.extra_ca {
            Some(path) => read_certificates(path)?,
            None => Vec::new(),
        };
        let builder = || {
            let builder = ClientBuilder::new()
                .user_agent(concat!("reachform/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers.clone())
                .connect_timeout(options.connect_timeout)
                .timeout(options.timeout)
                // Python services close an idle connection after five seconds. A create that is sent into the closing
                // is a create of unknown fate.
                .pool_idle_timeout(Duration::from_secs(4))
                // A redirect would carry the credential along, or lose the body of a write.
                .redirect(reqwest::redirect::Policy::none())
                // reqwest repeats at once and by its own rules; ours are in `retry`.
                .retry(reqwest::retry::never());
            // HTTP_PROXY would reach for loopback too, where no proxy can.
            if base.is_loopback() { builder.no_proxy() } else { builder }
        };
        let client = builder()
            .tls_certs_merge(extra.iter().cloned())
            .build()
            .or_else(|_no_store| {
                // Images without a certificate store: the client would not even build for plain HTTP.
                let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
                let roots = roots.iter().filter_map(|der| Certificate::from_der(der).ok());
                builder().tls_certs_only(roots.chain(extra.iter().cloned())).build()
            })
            .map_err(|source| SetupError::Build { source: source.without_url() })?;
        Ok(Self { client, base, timeout: options.timeout, body_limit: options.body_limit })
    }

    /// Where requests go.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    async fn carry(&self, request: &Request) -> Result<Response, TransportError> {
        let url = self
            .base
            .join(&request.path, &request.query)
            .ok_or(TransportError::NotAllowed("its path would not arrive unchanged"))?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.client.request(method, url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            if request.header("content-type").is_none() {
                builder = builder.header(CONTENT_TYPE, "application/json");
            }
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().await.map_err(|error| self.failure(error))?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let status = response.status().as_u16();

        let limit = self.body_limit;
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if announced > limit {
            return Err(TransportError::TooLarge(limit));
        }
        let mut body = Vec::with_capacity(announced);
        // Chunk by chunk and after decompression, so that a bomb of a few kilobytes meets the limit too.
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(error))? {
            if body.len() + chunk.len() > limit {
                return Err(TransportError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body })
    }

    fn failure(&self, error: reqwest::Error) -> TransportError {
        // The address in the error has the query in it. The request is named by whoever asked.
        let error = error.without_url();
        let why = cause(&error);
        // A connection that took too long is both, and was certainly never used.
        if error.is_connect() && why.contains("certificate") {
            TransportError::Untrusted(why)
        } else if error.is_connect() || error.is_builder() {
            TransportError::Connect(why)
        } else if error.is_timeout() {
            TransportError::Timeout(self.timeout)
        } else {
            TransportError::Broken(why)
        }
    }
}

impl Transport for ReqwestTransport {
    fn send<'a>(&'a self, request: &'a Request) -> Later<'a, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// TLS by ring. A client that is built without a provider panics, so whoever comes first installs it.
fn install_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // It fails only where there is one already, and then that one does.
        let _other = rustls::crypto::ring::default_provider().install_default();
    });
}

fn credential_headers(credential: &Credential) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", credential.token().expose_secret())).ok()?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    if let Some(organization) = credential.organization() {
        let mut organization = HeaderValue::from_str(organization).ok()?;
        organization.set_sensitive(true);
        headers.insert(ORGANIZATION_HEADER, organization);
    }
    Some(headers)
}

/// Most bytes of a file of certificate authorities. All that a system has come to a quarter of a megabyte.
const CA_BYTES: usize = 8 * 1024 * 1024;

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, SetupError> {
    let pem = disk::read(path, CA_BYTES).map_err(|source| SetupError::CaFile { path: path.to_owned(), source })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(SetupError::NoCertificate { path: path.to_owned() }),
    }
}

/// The innermost causes in one line: `Display` of a reqwest error says only that something failed.
fn cause(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        let text = plain(&source.to_string());
        // Wrappers repeat what they wrap, and the outermost speak of the client's own layers.
        if !text.is_empty() && !parts.iter().any(|part| part.contains(&text)) {
            parts.retain(|part| !text.contains(part.as_str()));
            parts.push(text);
        }
        next = source.source();
    }
    if parts.is_empty() { plain(&error.to_string()) } else { parts.join(": ") }
}
