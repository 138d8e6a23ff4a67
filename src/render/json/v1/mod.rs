//! Version 1 of the documents (design, section 7), each a type that is written and read by its own shape.
//!
//! Minor versions add; readers ignore what they do not know. The order of the fields is that of the structs. A value that
//! cannot be shown is `null`, and the state beside it says why.

mod commands;
mod difference;
mod drift;
mod import;
mod plan;
mod problems;
mod report;
mod saved;
#[cfg(test)]
mod schemas;
mod values;
mod versions;

use serde::Serialize;

use crate::model::Address;
use crate::plan::agent::{SECRET_NOT_COMPARED, SWITCHED_OFF};
use crate::plan::saved::FORMAT_MAJOR;
use crate::plan::{Notice, REWRITTEN, Target, codes};
use crate::render::visible;

pub use commands::{
    AdoptDoc, AdoptedDoc, CodeDoc, CommentDoc, CommentWarningDoc, ExplainDoc, Failure, NotAdoptedDoc, failure_document,
    read_failure, validation_document,
};
pub use difference::{DIFFERENCE_KIND, difference_digest, difference_document, read_difference};
pub use drift::drift_document;
pub use import::{import_document, init_document, list_document};
pub use plan::{plan_document, read_plan, sealed};
pub use report::{read_report, report_document};
pub use saved::read_saved;
pub use versions::{agent_document, comparison_document, log_document, released_document, versions_document};

/// The version of the documents. 1.1 added `alarms`, the file and line of each value, and both sides of a rewrite, and made
/// an object of `held`; 1.0 is still read.
pub const FORMAT_VERSION: &str = "1.1";

/// Declares documents and their parts: what is written is what is read, and tests make a JSON Schema of it that is strict
/// about names. What a later version no longer writes, or an earlier one did not, has a default.
macro_rules! documents {
    (pub: $($documents:tt)*) => { documents!(@ pub, $($documents)*); };
    (@ $vis:vis, $($(#[$meta:meta])* $name:ident { $($(#[$on:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
        $vis struct $name { $($(#[$on])* $vis $field: $type,)* }
    )*};
    ($($documents:tt)*) => { documents!(@ pub(in crate::render::json::v1), $($documents)*); };
}

use documents;

/// Whether this program reads documents of this version: any minor one of its own major version.
pub fn reads_format(version: &str) -> bool {
    version.split('.').next() == Some(FORMAT_MAJOR)
}

fn write<T: Serialize>(document: &T) -> String {
    // These types hold nothing that JSON cannot: no map with other keys than texts, no failing implementation.
    let text = serde_json::to_string_pretty(document).expect("internal error: a document is always JSON");
    format!("{}\n", visible::json(&text))
}

documents! {
    /// What a run was for.
    TargetDoc {
        host: String,
        organization: Option<String>,
        /// What the environment declares, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        declared_organization: Option<String>,
        environment: String,
        project: String,
    }

    /// Something that a person should know.
    NoticeDoc {
        code: String,
        address: Option<Address>,
        message: String,
    }
}

impl From<&Target> for TargetDoc {
    fn from(target: &Target) -> Self {
        let Target { host, declared_organization, organization, environment, project } = target.clone();
        Self { host, organization, declared_organization, environment, project }
    }
}

impl From<TargetDoc> for Target {
    fn from(target: TargetDoc) -> Self {
        let TargetDoc { host, organization, declared_organization, environment, project } = target;
        Self { host, declared_organization, organization, environment, project }
    }
}

impl From<&Notice> for NoticeDoc {
    fn from(notice: &Notice) -> Self {
        let Notice { address, code, message } = notice;
        Self { code: (*code).to_owned(), address: address.clone(), message: message.clone() }
    }
}

impl From<NoticeDoc> for Notice {
    fn from(notice: NoticeDoc) -> Self {
        let NoticeDoc { code, address, message } = notice;
        Self { address, code: known(&code), message }
    }
}

/// Longest code of a problem.
const LONGEST_CODE: usize = 64;

/// A code that something is decided by here, or another one as the document has it.
fn known(code: &str) -> &'static str {
    let decides = [REWRITTEN, SWITCHED_OFF, SECRET_NOT_COMPARED].into_iter().find(|known| *known == code);
    decides.or_else(|| codes::known(code)).unwrap_or_else(|| {
        let is_code = code.len() <= LONGEST_CODE && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        // A document has a bounded number of problems, and one document is read in a run.
        if is_code { Box::leak(code.to_owned().into_boxed_str()) } else { "saved" }
    })
}
