//! Version 1 of the documents (design, section 7). Minor versions add; readers ignore what they do not know.
//!
//! Field order is the order of the structs. A value that cannot be shown is `null`, and the state beside it says why.

mod difference;
mod drift;
mod plan;
mod read;
mod read_difference;
mod read_report;
mod report;
mod verify;

use serde::Serialize;

use crate::plan::{Notice, Target};
use crate::render::visible;

pub use difference::difference_document;
pub use drift::drift_document;
pub use plan::{plan_document, sealed};
pub use read::read_plan;
pub use read_difference::{DIFFERENCE_KIND, read_difference};
pub use read_report::read_report;
pub use report::report_document;

/// The version of the documents.
pub const FORMAT_VERSION: &str = "1.0";

fn write<T: Serialize>(document: &T) -> String {
    // These types hold nothing that JSON cannot: no map with other keys than texts, no failing implementation.
    let text = serde_json::to_string_pretty(document).expect("internal error: a document is always JSON");
    format!("{}\n", visible::json(&text))
}

#[derive(Serialize)]
struct TargetJson<'p> {
    host: &'p str,
    organization: Option<&'p str>,
    environment: &'p str,
    project: &'p str,
}

#[derive(Serialize)]
struct NoticeJson<'p> {
    code: &'p str,
    address: Option<String>,
    message: &'p str,
}

impl<'p> From<&'p Target> for TargetJson<'p> {
    fn from(target: &'p Target) -> Self {
        let Target { host, declared_organization: _, organization, environment, project } = target;
        Self { host, organization: organization.as_deref(), environment, project }
    }
}

impl<'p> From<&'p Notice> for NoticeJson<'p> {
    fn from(notice: &'p Notice) -> Self {
        let Notice { address, code, message } = notice;
        Self { code, address: address.as_ref().map(ToString::to_string), message }
    }
}
