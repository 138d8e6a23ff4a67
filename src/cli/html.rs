//! Plans as one page, for a person who approves them.

use crate::diagnostics::SourceMap;
use crate::plan::Plan;
use crate::render::html::{PageContext, plan_page};
use crate::render::view::Place;

use super::settings::Settings;

/// The page. `command` applies exactly this plan, where it is known.
pub fn of_plan(plan: &Plan, sources: &SourceMap, settings: &Settings, place: Place, command: Option<String>) -> String {
    // A page is read later and elsewhere: nobody can type an answer under it.
    let place = if place == Place::Prompt { Place::Shown } else { place };
    plan_page(plan, sources, &PageContext { run_url: settings.run_url(), place, command })
}
