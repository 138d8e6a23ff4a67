//! The commands that the program prints: each can be copied, and does what it says in the place where it was printed.

use std::fmt::Write as _;
use std::path::Path;

use crate::http::reqwest_transport::CA_FILE_VARIABLE;
use crate::plan::{Report, Target};
use crate::render::view::GoOn;
use crate::session::SANDBOX_HOST;

use super::args::{Apply, LEASE_SECONDS, Planning, SchemaMode};
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
    if let Some(file) = &settings.ca_file
        && settings.variable(CA_FILE_VARIABLE).is_none_or(|named| *file != Path::new(named))
    {
        flag("--ca-file", &file.display().to_string());
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
    let file = file.map(|file| quoted(&file.display().to_string()));
    [vec![format!("reachform apply{}", flags(settings, None))], file.into_iter().collect(), of_planning(planning)]
        .concat()
        .join(" ")
}

/// The flags that change what is planned.
fn of_planning(planning: &Planning) -> Vec<String> {
    let Planning { target, exclude, prune, refresh, force_conflicts, take, create, redo, .. } = planning;
    let mut words = Vec::new();
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
    words
}

/// How to go on where this run stopped. What was approved is gone on with under the same approval, as long as it still can
/// be carried out: with an agent that is not as it was planned, only a new plan can.
pub fn go_on(settings: &Settings, arguments: &Apply, report: &Report) -> GoOn {
    let Apply {
        file,
        planning,
        auto_approve,
        approved_plan,
        replace_draft,
        lease_timeout,
        break_lease: _,
        organization_unverified,
    } = arguments;
    let is_asked = file.is_none() && approved_plan.is_none() && !auto_approve;
    if report.needs_a_new_plan() && !is_asked {
        return match (file, approved_plan) {
            (Some(file), _) => {
                let apply = apply(settings, planning, Some(file));
                let what = "the saved plan no longer fits what is live. Save a new one, read it, and apply it";
                GoOn::Command { what, copy: format!("{}\n{apply}", plan_anew(settings, arguments)) }
            }
            (None, Some(_)) => GoOn::Command {
                what: "the approved plan no longer fits what is live. Plan again, and have the new plan approved",
                copy: plan_anew(settings, arguments),
            },
            (None, None) => GoOn::Command { what: DECIDE, copy: apply(settings, planning, None) },
        };
    }
    let mut words = vec![apply(settings, planning, file.as_deref())];
    words.extend(auto_approve.then(|| "--auto-approve".to_owned()));
    words.extend(approved_plan.as_ref().map(|hash| format!("--approved-plan {hash}")));
    words.extend(replace_draft.iter().map(|key| format!("--replace-draft {key}")));
    words.extend((*lease_timeout != LEASE_SECONDS).then(|| format!("--lease-timeout {lease_timeout}")));
    words.extend(organization_unverified.then(|| "--organization-unverified".to_owned()));
    GoOn::Command { what: first(report), copy: words.join(" ") }
}

/// The command that makes a plan anew, into the same file if there was one.
pub fn plan_anew(settings: &Settings, arguments: &Apply) -> String {
    let out = arguments.file.iter().map(|file| format!("--out {}", quoted(&file.display().to_string()))).collect();
    [vec![format!("reachform plan{}", flags(settings, None))], of_planning(&arguments.planning), out].concat().join(" ")
}

/// What an apply that asks is for, where an agent is not as it was planned.
const DECIDE: &str = "plan again, see what differs, and decide; this asks before it writes";

/// What comes before the command.
fn first(report: &Report) -> &'static str {
    if report.needs_a_hand() { "do first what the hints say; until then, the same command fails again" } else { "" }
}

/// The same from a document, which does not say how the plan was approved.
pub fn go_on_from_a_document(settings: &Settings, report: &Report) -> GoOn {
    let flags = flags(settings, Some(&report.target));
    let what = match first(report) {
        _ if report.needs_a_new_plan() => DECIDE,
        // In a pipeline nobody could answer.
        "" => "run the job again, or use this command in a terminal, where it asks before it writes",
        first => first,
    };
    GoOn::Command { what, copy: format!("reachform apply{flags}") }
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
