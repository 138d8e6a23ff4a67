//! `list`: which agents are managed, unmanaged, orphaned and absent, and which number rings where. It needs no manifest.

use tokio_util::sync::CancellationToken;
use unicode_width::UnicodeWidthChar as _;
use unicode_width::UnicodeWidthStr as _;

use crate::model::{Coverage, PhoneNumber};
use crate::plan::identity::identify;
use crate::plan::rewritten::{configs_with_rewritten, rewritten_paths};
use crate::plan::{
    Inputs, List as Listed, ListedAgent, ListedHolder, ListedNumber, ListedState, Options, Source, list,
};
use crate::render::json::list_document;
use crate::render::visible::one_line;
use crate::{live, session};

use super::args::List;
use super::connect::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{command, open, output};

/// Widest line: as wide as a terminal is at the least.
const WIDTH: usize = 80;

/// Widest key and name of a holder in a table; what is longer is cut and whole in the JSON.
const WIDEST_KEY: usize = 26;

/// Runs the command.
pub async fn run(_arguments: &List, settings: &Settings) -> Result<Exit, CommandError> {
    let workspace = open::perhaps_empty(settings);
    open::refuse_broken(&workspace, settings)?;
    let project = &workspace.resolved.project;
    let connection = connect(settings, project, CancellationToken::new())?;
    let mut service = open::service(settings, &connection, &connection.reader()).await?;
    let target = session::planning::target(&workspace, &connection, &service.live);
    let options = Options { has_project: project.has_project, ..Options::default() };
    let source = Source::default();
    let desired = &workspace.resolved.desired;
    let reading = Inputs { desired, live: &service.live, target: &target, source: &source, options: &options };
    let wanted = configs_with_rewritten(&reading, &identify(&reading));
    for failure in live::read_configs(&connection.reader(), &mut service.live, &wanted).await {
        output::aside(&format!("warning: {}", describe(&failure)));
    }
    let inputs = Inputs { desired, live: &service.live, target: &target, source: &source, options: &options };
    let identities = identify(&inputs);
    let rewritten = rewritten_paths(&inputs, &identities, service.schema.as_ref());
    let listed = list(&inputs, &identities, &rewritten);
    for (what, coverage) in [("agents", &listed.agent_coverage), ("phone numbers", &listed.number_coverage)] {
        if let Coverage::Unproven(why) | Coverage::Incomplete(why) | Coverage::Forbidden(why) = coverage {
            output::aside(&format!("warning: there may be more {what} than these: {why}"));
        }
    }
    output::json(settings, &list_document(&listed))?;
    if !settings.json {
        output::result(&text(&listed, settings));
    }
    Ok(if listed.agent_coverage.is_proven() { Exit::Done } else { Exit::Failed })
}

/// An error with its causes, on one line.
fn describe(error: &dyn std::error::Error) -> String {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    causes.join(": ")
}

/// The two tables, each line at most as wide as a narrow terminal.
fn text(listed: &Listed, settings: &Settings) -> String {
    let Listed { agents, numbers, .. } = listed;
    let mut blocks = Vec::new();
    if agents.is_empty() {
        blocks.push("No agents, and no manifests.".to_owned());
    } else {
        blocks.push(table(agents.iter().map(agent).collect(), ["STATE", "KEY", "LIVE", "NAME"], settings));
    }
    let is_free =
        |number: &&ListedNumber| number.inbound == ListedHolder::Nobody && number.outbound == ListedHolder::Nobody;
    let (free, used): (Vec<&ListedNumber>, Vec<&ListedNumber>) = numbers.iter().partition(is_free);
    if !used.is_empty() {
        blocks.push(table(used.into_iter().map(number).collect(), ["NUMBER", "RINGS", "CALLS FROM IT", ""], settings));
    }
    if !free.is_empty() {
        let free: Vec<PhoneNumber> = free.into_iter().map(|number| number.number.clone()).collect();
        let lines = in_lines(&free).into_iter().map(|line| format!("    {line}"));
        let lines: Vec<String> = std::iter::once("No agent has these numbers:".to_owned()).chain(lines).collect();
        blocks.push(lines.join("\n"));
    }
    for ListedAgent { key, rewritten, .. } in agents.iter().filter(|agent| !agent.rewritten.is_empty()) {
        let paths: Vec<String> = rewritten.iter().map(ToString::to_string).collect();
        let paths = one_line(&paths.join(", "));
        blocks.push(format!(
            "agent.{key} is not live as its manifest declares it: the service keeps another value at {paths}"
        ));
    }
    if agents.iter().any(|agent| agent.state == ListedState::Unmanaged) {
        let flags = command::flags(settings, None);
        blocks.push(format!("To manage what is unmanaged, write manifests of it: reachform import --all{flags}"));
    }
    blocks.join("\n\n")
}

/// A row, and the lines below it.
type Row = ([String; 4], Vec<String>);

fn agent(agent: &ListedAgent) -> Row {
    let ListedAgent { state, key, version, agent_id, name, inbound, outbound, rewritten: _ } = agent;
    let version = version.map(|version| format!("v{version}")).unwrap_or_default();
    let mut below = Vec::new();
    if !agent_id.is_empty() {
        below.push(format!("id        {}", one_line(agent_id)));
    }
    for (word, numbers) in [("inbound ", inbound), ("outbound", outbound)] {
        below.extend(in_lines(numbers).into_iter().map(|line| format!("{word}  {line}")));
    }
    let key = if key.is_empty() { "-" } else { key };
    ([state.as_str().to_owned(), cut(key, WIDEST_KEY), version, one_line(name)], below)
}

/// Numbers, as many to a line as fit.
fn in_lines(numbers: &[PhoneNumber]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for number in numbers.iter().map(|number| one_line(number.as_str())) {
        match lines.last_mut().filter(|line| line.width() + number.width() + 1 < WIDTH - 14) {
            Some(line) => *line = format!("{line} {number}"),
            None => lines.push(number),
        }
    }
    lines
}

fn number(number: &ListedNumber) -> Row {
    let ListedNumber { number, inbound, outbound } = number;
    ([one_line(number.as_str()), holder(inbound), holder(outbound), String::new()], Vec::new())
}

fn holder(holder: &ListedHolder) -> String {
    match holder {
        ListedHolder::Nobody => "-".to_owned(),
        ListedHolder::NotShown => "not shown to this credential".to_owned(),
        ListedHolder::Unknown { .. } => "an agent that cannot be seen".to_owned(),
        ListedHolder::Agent { name, address, version, live, .. } => {
            let who = address.as_ref().map_or_else(|| one_line(name), ToString::to_string);
            let older = if *live { "" } else { ", not live" };
            format!("{} v{version}{older}", cut(&who, WIDEST_KEY - older.len()))
        }
    }
}

/// The beginning of a text that is too wide.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width.saturating_sub(2) {
            break;
        }
        out.push(c);
    }
    format!("{out}...")
}

fn table(rows: Vec<Row>, head: [&str; 4], settings: &Settings) -> String {
    let mut lines: Vec<Row> = vec![(head.map(str::to_owned), Vec::new())];
    lines.extend(rows);
    let mut widths = [0_usize; 4];
    for (cells, _) in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.width());
        }
    }
    let mut out: Vec<String> = Vec::new();
    for (cells, below) in &lines {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(cells) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        out.push(cut(line.trim_end(), WIDTH.min(settings.width)));
        out.extend(below.iter().map(|line| cut(&format!("    {line}"), WIDTH)));
    }
    out.join("\n")
}
