//! The commands that the program prints: each can be copied, and does what it says in the place where it was printed.

use std::fmt::Write as _;
use std::path::Path;

use crate::plan::Target;
use crate::session::SANDBOX_HOST;

use super::args::{Planning, SchemaMode};
use super::settings::{DEFAULT_API_URL, Settings};

/// The name of the environment that needs no name.
const ONLY: &str = "default";

/// The flags that this run had, which every command needs that is to look at the same project and service: each with a
/// blank before it. What a document was for goes before what was typed.
pub fn flags(settings: &Settings, target: Option<&Target>) -> String {
    let mut out = String::new();
    let mut flag = |name: &str, value: &str| {
        let written = write!(out, " {name} {}", quoted(value));
        written.expect("internal error: a text can always be written to");
    };
    let is_sandbox = settings.sandbox || target.is_some_and(|target| target.host == SANDBOX_HOST);
    for switch in &settings.behave {
        flag("--behave", switch);
    }
    let dir = settings.dir.display().to_string();
    if dir != "." {
        flag("-C", &dir);
    }
    let is_usual =
        settings.api_url == DEFAULT_API_URL || settings.variable("ANYREACH_API_URL") == Some(&settings.api_url);
    if !is_sandbox && !is_usual {
        flag("--api-url", &settings.api_url);
    }
    if let Some(file) = &settings.token_file {
        flag("--token-file", &file.display().to_string());
    }
    let environment = target.map(|target| &target.environment).filter(|name| !matches!(name.as_str(), "" | ONLY));
    if let Some(name) = environment.or(settings.environment.as_ref()) {
        flag("--env", name);
    }
    if is_sandbox { format!(" --sandbox{out}") } else { out }
}

/// The command that applies what was planned with these flags, or goes on where this run stopped. It can be typed as it
/// is: a plan file is compared with a new plan, which must be made of the same agents by the same rules.
pub fn apply(settings: &Settings, planning: &Planning, file: Option<&Path>) -> String {
    let Planning { target, exclude, prune, refresh, force_conflicts, take, create, redo, .. } = planning;
    let mut words = vec![format!("reachform apply{}", flags(settings, None))];
    words.extend(file.map(|file| quoted(&file.display().to_string())));
    words.extend(target.iter().map(|key| format!("--target {key}")));
    words.extend(exclude.iter().map(|key| format!("--exclude {key}")));
    words.extend(prune.then(|| "--prune".to_owned()));
    words.extend(refresh.then(|| "--refresh".to_owned()));
    words.extend(force_conflicts.then(|| "--force-conflicts".to_owned()));
    words.extend(take.iter().map(|number| format!("--take {number}")));
    words.extend(create.iter().map(|key| format!("--create {key}")));
    words.extend(redo.iter().map(|key| format!("--redo {key}")));
    words.extend(planning.max_delete.map(|count| format!("--max-delete {count}")));
    words.extend(planning.max_change_percent.map(|percent| format!("--max-change-percent {percent}")));
    words.extend((planning.schema == SchemaMode::Lenient).then(|| "--schema lenient".to_owned()));
    words.join(" ")
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ':' | '@' | '%' | ',' | '=');
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
