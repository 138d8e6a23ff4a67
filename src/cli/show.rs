//! `show`: one agent as it is, or a plan file, rendered from the document alone.

use serde_json::Value;

use crate::diagnostics::SourceMap;
use crate::plan::saved;
use crate::render::json::{read_plan, read_saved};
use crate::render::text::plan_text;
use crate::render::view::Place;

use super::args::Show;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{command, history, html, markdown, output};

/// Largest plan file that is read.
const PLAN_BYTES: usize = 64 * 1024 * 1024;

/// Runs the command. A file that exists or is named as one is a plan; anything else is an agent.
pub async fn run(arguments: &Show, settings: &Settings) -> Result<Exit, CommandError> {
    let path = &arguments.what;
    let is_named_so = path.extension().is_some_and(|extension| extension == "plan");
    match path.to_str().filter(|_| !is_named_so && !path.exists()) {
        Some(agent) => {
            if arguments.markdown.is_some() || arguments.html.is_some() {
                return Err(CommandError::usage(format!("there is no plan file {}", path.display()))
                    .hint("`--markdown` and `--html` are for a saved plan (`plan --out FILE`)"));
            }
            history::show(agent, settings).await
        }
        None => plan(arguments, settings),
    }
}

fn plan(arguments: &Show, settings: &Settings) -> Result<Exit, CommandError> {
    let text = output::read(&arguments.what, PLAN_BYTES)?;
    let bad = |error: &dyn std::error::Error| {
        CommandError::chain(format!("the plan file {} cannot be shown", arguments.what.display()), error)
    };
    match read_saved(&text) {
        Ok(_) | Err(saved::SavedPlanError::NotApplyable) => {}
        Err(error) => return Err(bad(&error)),
    }
    let document: Value = serde_json::from_str(&text).map_err(|error| bad(&error))?;
    let Some(plan) = read_plan(&document) else {
        return Err(CommandError::config(format!("the plan file {} cannot be shown", arguments.what.display()))
            .cause("a change in it is not in the form that reachform writes"));
    };
    output::json(settings, &text)?;
    if !settings.json {
        output::result(&plan_text(&plan, &output::text_options(settings, arguments.diff)));
    }
    if let Some(path) = &arguments.markdown {
        output::file(path, &markdown::of_plan(&plan, &SourceMap::default(), settings))?;
    }
    if let Some(path) = &arguments.html {
        // The file does not hold the flags that it was planned with, and without these two it would be another plan.
        let took_flags = plan.targeted || plan.summary().delete > 0;
        let file = command::quoted(&arguments.what.display().to_string());
        let command = format!("reachform apply{} {file}", command::flags(settings, Some(&plan.target)));
        let command = (!took_flags).then_some(command);
        output::file(path, &html::of_plan(&plan, &SourceMap::default(), settings, Place::Shown, command))?;
    }
    Ok(Exit::Done)
}
