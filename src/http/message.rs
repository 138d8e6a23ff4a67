//! A request and an answer as plain data, so that a socket, the embedded service and a test are the same to a client.

use std::fmt;
use std::time::Duration;

/// The methods that the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, and everything that is neither reading nor replacing.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Takes away.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Reads the word; `None` for any other method.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete].into_iter().find(|method| method.as_str() == text)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request, without the host: that belongs to the transport, as the credential's destination must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded, with its leading slash.
    pub path: String,
    /// Query parameters, not encoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case. Credentials are added by the transport and never stand here.
    pub headers: Vec<(String, String)>,
    /// The body, JSON text.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request without query, headers or body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), headers: Vec::new(), body: None }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How messages name the request: method and path, without the query.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decoded and bounded.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connection was never made, so the request was never received.
    #[error("could not connect: {0}")]
    Connect(String),
    /// The other side showed a certificate that is not trusted here. It will show the same one again.
    #[error("could not connect: {0}")]
    Untrusted(String),
    /// It was made and then broke: the request may have been carried out.
    #[error("the connection was lost before the answer arrived: {0}")]
    Broken(String),
    /// No answer in time: the request may have been carried out.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The answer is larger than any that is expected: it was not read to its end.
    #[error("the answer is larger than {} MB", .0 / 1_000_000)]
    TooLarge(usize),
    /// This program refuses to send it: a reader never writes, and nobody asks for a version `latest`.
    #[error("reachform refuses to send this request: {0}")]
    NotAllowed(&'static str),
}

impl TransportError {
    /// Whether the request certainly never reached the service.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Untrusted(_) | Self::NotAllowed(_) => true,
            Self::Broken(_) | Self::Timeout(_) | Self::TooLarge(_) => false,
        }
    }
}
