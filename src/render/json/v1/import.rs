//! What leads into a project as documents: what `init` wrote, what `import` wrote, and what `list` found.

use serde::{Deserialize, Serialize};

use super::{FORMAT_VERSION, TargetDoc, documents, write};
use crate::plan::{Import, ImportedAgent, ImportedSecret, List, ListedAgent, ListedNumber, NotImported, Summary};

documents! {
    /// What `import --json` writes.
    ImportDoc {
        format_version: String,
        tool_version: String,
        kind: ImportKind,
        /// Whether nothing was written, because nobody asked for it.
        dry_run: bool,
        target: TargetDoc,
        /// What a plan of the new manifests comes to.
        summary: Summary,
        agents: Vec<ImportedAgent>,
        not_imported: Vec<NotImported>,
        /// How many agents had a manifest before.
        managed: usize,
        secrets: Vec<ImportedSecret>,
        files: Vec<String>,
    }

    /// What `init --json` writes.
    InitDoc {
        format_version: String,
        tool_version: String,
        kind: InitKind,
        project: String,
        /// Files that were written or got lines.
        written: Vec<String>,
        /// Files that were there already.
        left: Vec<String>,
    }

    /// What `list --json` writes.
    ListDoc {
        format_version: String,
        tool_version: String,
        kind: ListKind,
        /// Whether all agents could be read.
        complete: bool,
        /// Whether all numbers could be read.
        numbers_complete: bool,
        target: TargetDoc,
        agents: Vec<ListedAgent>,
        /// Phone numbers with what each direction reaches.
        numbers: Vec<ListedNumber>,
    }
}

/// The kind of a document.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::render::json::v1) enum ImportKind {
    Import,
}

/// The kind of a document.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::render::json::v1) enum InitKind {
    Init,
}

/// The kind of a document.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::render::json::v1) enum ListKind {
    List,
}

/// The document of an import, with line feeds and a final one.
pub fn import_document(import: &Import, files: &[String], dry_run: bool) -> String {
    let Import { target, agents, refused, managed, secrets, summary } = import;
    write(&ImportDoc {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: crate::VERSION.to_owned(),
        kind: ImportKind::Import,
        dry_run,
        target: target.into(),
        summary: *summary,
        agents: agents.clone(),
        not_imported: refused.clone(),
        managed: *managed,
        secrets: secrets.clone(),
        files: files.to_vec(),
    })
}

/// The document of an `init`.
pub fn init_document(project: &str, written: &[String], left: &[String]) -> String {
    write(&InitDoc {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: crate::VERSION.to_owned(),
        kind: InitKind::Init,
        project: project.to_owned(),
        written: written.to_vec(),
        left: left.to_vec(),
    })
}

/// The document of a list.
pub fn list_document(list: &List) -> String {
    let List { target, agent_coverage, number_coverage, agents, numbers } = list;
    write(&ListDoc {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: crate::VERSION.to_owned(),
        kind: ListKind::List,
        complete: agent_coverage.is_proven(),
        numbers_complete: number_coverage.is_proven(),
        target: target.into(),
        agents: agents.clone(),
        numbers: numbers.clone(),
    })
}
