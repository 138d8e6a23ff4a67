//! `explain`: what the code of a problem means and what to do about it, as the manual has it.

use crate::diagnostics::Code;
use crate::manifest::suggest::nearest;
use crate::render::json::{CodeDoc, ExplainDoc, FORMAT_VERSION};
use crate::{manifest, plan, schema};

use super::args::Explain;
use super::exit::Exit;
use super::output;
use super::report::CommandError;
use super::settings::Settings;

/// The page of the manual, which has an example for most codes. A test holds it to [`AREAS`].
const PAGE: &str = include_str!("../../docs/reference/codes.md");

/// Where problems come from, each with its codes.
pub const AREAS: [(&str, &[Code]); 3] = [
    ("Manifests and the project file", manifest::codes::CODES),
    ("The service's schema", &schema::codes::ALL),
    ("Planning", &plan::codes::ALL),
];

/// Every code of the program.
pub fn every_code() -> Vec<Code> {
    AREAS.iter().flat_map(|(_, codes)| *codes).copied().collect()
}

/// Where the page can be read: in the repository that the program was released from, else in the one that the runner
/// takes it from as an action.
pub fn page(settings: &Settings) -> Option<String> {
    let released = env!("CARGO_PKG_REPOSITORY");
    let tree = if released.starts_with("https://") {
        format!("{released}/blob/v{}", crate::VERSION)
    } else {
        let names = ["GITHUB_SERVER_URL", "GITHUB_ACTION_REPOSITORY", "GITHUB_ACTION_REF"];
        let [Some(server), Some(repository), Some(commit)] = names.map(|name| settings.variable(name)) else {
            return None;
        };
        format!("{server}/{repository}/blob/{commit}")
    };
    Some(format!("{tree}/docs/reference/codes.md"))
}

/// Runs the command.
pub fn run(arguments: &Explain, settings: &Settings) -> Result<Exit, CommandError> {
    let codes = match arguments.code.as_deref() {
        None => every_code(),
        // As it is copied from a message: `error[unknown-field]`.
        Some(text) => vec![find(text.rsplit('[').next().unwrap_or(text).trim_end_matches([']', ':']))?],
    };
    let document = ExplainDoc {
        format_version: FORMAT_VERSION.to_owned(),
        codes: codes
            .iter()
            .map(|Code { code, meaning, fix }| CodeDoc {
                code: (*code).to_owned(),
                meaning: (*meaning).to_owned(),
                fix: (*fix).to_owned(),
                example: example(code).map(str::to_owned),
            })
            .collect(),
    };
    output::json(settings, &document.text())?;
    if !settings.json {
        output::result(&match (&arguments.code, document.codes.as_slice()) {
            (Some(_), [code]) => explained(code),
            _ => listed(),
        });
    }
    Ok(Exit::Done)
}

fn find(wanted: &str) -> Result<Code, CommandError> {
    let known = every_code();
    known.iter().find(|known| known.code == wanted).copied().ok_or_else(|| {
        let unknown = CommandError::usage(format!("there is no code `{wanted}`"));
        match nearest(wanted, known.iter().map(|known| known.code)) {
            Some(near) => unknown.hint(format!("did you mean `{near}`?")),
            None => unknown.hint("`reachform explain` lists all codes"),
        }
    })
}

fn explained(CodeDoc { code, meaning, fix, example }: &CodeDoc) -> String {
    let example = example.as_ref().map(|example| format!("\nAn example:\n\n{example}")).unwrap_or_default();
    format!("{code}\n\n{meaning}\n\nWhat to do: {fix}\n{example}")
}

fn listed() -> String {
    let width = every_code().iter().map(|known| known.code.len()).max().unwrap_or_default();
    let areas = AREAS.map(|(area, codes)| {
        let lines = codes.iter().map(|known| format!("  {:width$}  {}\n", known.code, known.meaning));
        [format!("{area}\n")].into_iter().chain(lines).collect::<String>()
    });
    areas.join("\n")
}

/// The example that the manual shows for a code.
fn example(code: &str) -> Option<&'static str> {
    let section = PAGE.split("\n### ").find_map(|section| section.strip_prefix(code)?.strip_prefix('\n'))?;
    Some(section.split_once("```text\n")?.1.split_once("```")?.0)
}
