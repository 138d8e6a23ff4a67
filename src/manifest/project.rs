//! `reachform.yaml`: the project's name, where its manifests are, its environments and its limits.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::files::{FileError, Files};
use super::session::{Session, TextError, list_of, not_utf8, untracked};
use super::suggest::nearest;
use super::tree::{Entry, Kind, Node};
use super::yaml;
use crate::diagnostics::{Diagnostic, Place, Span};
use crate::model::Origin;

/// The name of the file.
pub const PROJECT_FILE: &str = "reachform.yaml";

/// The project's name, and the environment's, where no file gives one.
pub const DEFAULT_NAME: &str = "default";

/// Where manifests are looked for by default.
pub const DEFAULT_AGENTS: &str = "agents";

/// What the name of a token's variable begins with. A pull request must not choose where a token goes, so it cannot
/// name any other variable (design, section 2).
pub const TOKEN_PREFIX: &str = "ANYREACH_TOKEN";

/// Most bytes of the project file.
const MAX_PROJECT_FILE: usize = 1024 * 1024;

/// Longest name of a project, an environment or a variable. They stand in every stamp.
const LONGEST_NAME: usize = 63;

const FIELDS: [&str; 6] = ["version", "project", "agents", "environments", "limits", "not_secret"];
const ENVIRONMENT_FIELDS: [&str; 3] = ["token", "organization", "variables"];
const LIMIT_FIELDS: [&str; 2] = ["delete", "change_percent"];

/// The project, with one environment chosen.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name; the stamp holds it.
    pub name: String,
    /// Whether there is a project file. Without one, orphans are neither judged nor pruned.
    pub has_project: bool,
    /// Folders, files and patterns in which manifests are.
    pub agents: Vec<AgentsPath>,
    /// All environments that the file lists.
    pub environments: BTreeMap<String, Environment>,
    /// The chosen one's name; `default` where none is listed and none was asked for. Where the choice failed, that is
    /// among the diagnostics and the name is empty.
    pub environment: String,
    /// The safety limits.
    pub limits: Limits,
    /// Names of properties whose texts are shown although they sound or look like secrets.
    pub not_secret: BTreeSet<String>,
}

/// A place where manifests are.
#[derive(Clone, Debug)]
pub struct AgentsPath {
    /// A folder, a file or a pattern, relative to the project.
    pub path: String,
    /// Where it was written; `None` for the default.
    pub span: Option<Span>,
}

/// One environment of the project file.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment variable that holds its token.
    pub token: Option<String>,
    /// The organization that its token must belong to.
    pub organization: Option<String>,
    /// Its variables, for `!var`.
    pub variables: BTreeMap<String, Node>,
}

/// What one apply may do without being told twice (design, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most agents that are deleted.
    pub delete: u64,
    /// Largest share of agents that are changed, in percent.
    pub change_percent: u64,
}

impl Default for Limits {
    /// Nothing is deleted and at most half of the agents change, as the design's example has it.
    fn default() -> Self {
        Self { delete: 0, change_percent: 50 }
    }
}

impl Default for Project {
    fn default() -> Self {
        Self {
            name: DEFAULT_NAME.to_owned(),
            has_project: false,
            agents: vec![AgentsPath { path: DEFAULT_AGENTS.to_owned(), span: None }],
            environments: BTreeMap::new(),
            environment: DEFAULT_NAME.to_owned(),
            limits: Limits::default(),
            not_secret: BTreeSet::new(),
        }
    }
}

impl Project {
    /// The chosen environment, as far as the file describes it.
    pub fn chosen(&self) -> Option<&Environment> {
        self.environments.get(&self.environment)
    }

    /// The environment variable that holds the token.
    pub fn token_variable(&self) -> &str {
        self.chosen().and_then(|environment| environment.token.as_deref()).unwrap_or(TOKEN_PREFIX)
    }

    /// The organization that everything must belong to, where the file names one.
    pub fn organization(&self) -> Option<&str> {
        self.chosen().and_then(|environment| environment.organization.as_deref())
    }
}

/// What a project file declares, with no environment chosen; the defaults if there is no file, and nothing if it has
/// mistakes.
pub fn project_file(files: &dyn Files) -> Option<Project> {
    let mut session = Session::new(files, &|_| None);
    let project = session.read_project();
    (!session.diagnostics.has_errors()).then_some(project)
}

impl Session<'_> {
    /// Reads the project file and chooses the environment.
    pub fn project(&mut self, wanted: Option<&str>) -> Project {
        let before = self.diagnostics.len();
        let mut project = self.read_project();
        let is_sound = self.diagnostics.len() == before;
        self.choose(&mut project, wanted);
        self.environment.clone_from(&project.environment);
        self.variables = match project.chosen() {
            Some(environment) => Some(environment.variables.clone()),
            // Where the file is at fault, its variables are unknown rather than absent.
            None => (is_sound && !project.environment.is_empty()).then(BTreeMap::new),
        };
        project
    }

    fn read_project(&mut self) -> Project {
        let mut project = Project::default();
        let place = Place::File(PROJECT_FILE.to_owned());
        let text = match self.read_text(PROJECT_FILE, MAX_PROJECT_FILE) {
            Ok(text) => text,
            Err(TextError::File(FileError::NotFound)) => {
                if matches!(self.files.follow("reachform.yml"), Ok(_) | Err(FileError::Untracked { .. })) {
                    let problem =
                        Diagnostic::error(codes::PROJECT_FILE_NAME, "the project file must be named `reachform.yaml`");
                    self.report(problem.at(Place::File("reachform.yml".to_owned())).hint("rename `reachform.yml`"));
                }
                return project;
            }
            Err(TextError::File(FileError::Untracked { name })) => {
                self.report(untracked(&name).at(place));
                return project;
            }
            Err(TextError::File(error)) => {
                let message = format!("`{PROJECT_FILE}` cannot be read: {error}");
                self.report(Diagnostic::error(codes::FILE_UNREADABLE, message).at(place));
                return project;
            }
            Err(TextError::NotUtf8(fault)) => {
                self.report(not_utf8(PROJECT_FILE, fault, place));
                return project;
            }
        };
        project.has_project = true;
        let file = self.sources.add(PROJECT_FILE, text);
        let before = self.diagnostics.len();
        let documents = yaml::parse(file, self.sources.text(file), &mut self.diagnostics);
        let Ok([document]) = <[_; 1]>::try_from(documents) else {
            if self.diagnostics.len() == before {
                let problem = Diagnostic::error(codes::NOT_A_PROJECT, "the project file must hold one document");
                self.report(problem.at(place).hint("it begins with `version: 1` and `project: <name>`"));
            }
            return project;
        };
        self.refuse_tags(&document.root);
        self.project_fields(document.root, &mut project);
        project
    }

    fn refuse_tags(&mut self, node: &Node) {
        if let Some(tag) = &node.tag {
            let problem = Diagnostic::error(codes::TAG_NOT_ALLOWED, format!("`!{}` in the project file", tag.name));
            self.report(problem.span(tag.span.clone()).hint("tags are for manifests; write the value out here"));
        }
        match &node.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Hole => {}
            Kind::List(items) => items.iter().for_each(|item| self.refuse_tags(item)),
            Kind::Map(entries) => entries.iter().for_each(|entry| self.refuse_tags(&entry.value)),
        }
    }

    fn project_fields(&mut self, root: Node, project: &mut Project) {
        let span = root.span.clone();
        let Kind::Map(entries) = root.kind else {
            if !matches!(root.kind, Kind::Hole) {
                let problem = Diagnostic::error(codes::NOT_A_PROJECT, "the project file must be a map");
                self.report(problem.span(span).hint("it begins with `version: 1` and `project: <name>`"));
            }
            return;
        };
        let (mut has_version, mut has_name) = (false, false);
        for Entry { key, key_span, value } in entries {
            match key.as_str() {
                "version" => {
                    has_version = true;
                    if !matches!(&value.kind, Kind::Number(number) if number.as_u64() == Some(1)) {
                        let problem = Diagnostic::error(codes::PROJECT_VERSION, "`version` must be 1").span(value.span);
                        self.report(problem.hint("a newer format needs a newer reachform"));
                    }
                }
                "project" => {
                    has_name = true;
                    if let Some(name) = self.name(&value, "`project`") {
                        project.name = name;
                    }
                }
                "agents" => self.agents(&value, project),
                "environments" => self.environments(value, project),
                "limits" => self.limits(&value, project),
                "not_secret" => {
                    let names = self.list(&value, "`not_secret`").unwrap_or_default();
                    let names = names.iter().filter_map(|item| self.filled_text(item, "a name in `not_secret`"));
                    project.not_secret = names.map(str::to_owned).collect();
                }
                _ => self.unknown_field(&key, &key_span, &FIELDS, "the project file"),
            }
        }
        let start = Span::new(span.file, span.start..span.start);
        for (has, message, hint) in [
            (has_version, "the project file has no `version`", "add `version: 1`"),
            (
                has_name,
                "the project file has no `project`",
                "add `project:` and a name that no other repository of the organization has",
            ),
        ] {
            if !has {
                self.report(Diagnostic::error(codes::MISSING_FIELD, message).span(start.clone()).hint(hint));
            }
        }
    }

    fn name(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.filled_text(node, what)?;
        if is_name(text) {
            return Some(text.to_owned());
        }
        self.report(bad_name(text, what, node.span.clone()));
        None
    }

    fn agents(&mut self, node: &Node, project: &mut Project) {
        let Some(items) = self.list(node, "`agents`") else { return };
        let mut paths = Vec::new();
        for item in items {
            let Some(text) = self.filled_text(item, "a path in `agents`") else { continue };
            paths.push(AgentsPath { path: text.to_owned(), span: Some(item.span.clone()) });
        }
        if items.is_empty() {
            let problem = Diagnostic::error(codes::NO_MANIFESTS, "`agents` is empty").span(node.span.clone());
            self.report(problem.hint("remove it to read `agents/`"));
        }
        project.agents = paths;
    }

    fn environments(&mut self, node: Node, project: &mut Project) {
        let Kind::Map(entries) = node.kind else { return self.wrong_type(&node, "`environments`", "a map of names") };
        for Entry { key, key_span, value } in entries {
            if !is_name(&key) {
                self.report(bad_name(&key, "an environment's name", key_span));
                continue;
            }
            let environment = self.environment_fields(value, &key);
            project.environments.insert(key, environment);
        }
    }

    fn environment_fields(&mut self, node: Node, name: &str) -> Environment {
        let mut environment = Environment::default();
        let what = format!("the environment `{name}`");
        let entries = match node.kind {
            Kind::Map(entries) => entries,
            // A name with nothing behind it is an environment with the defaults.
            Kind::Null => return environment,
            _ => {
                self.wrong_type(&node, &what, "a map");
                return environment;
            }
        };
        for Entry { key, key_span, value } in entries {
            match key.as_str() {
                "token" => environment.token = self.token(&value),
                "organization" => {
                    environment.organization = self.filled_text(&value, "`organization`").map(str::to_owned);
                }
                "variables" => {
                    let Kind::Map(variables) = value.kind else {
                        self.wrong_type(&value, "`variables`", "a map");
                        continue;
                    };
                    for variable in variables {
                        if is_name(&variable.key) {
                            self.check_spelling(&variable.value);
                            environment.variables.insert(variable.key, variable.value);
                        } else {
                            self.report(bad_name(&variable.key, "a variable's name", variable.key_span));
                        }
                    }
                }
                _ => self.unknown_field(&key, &key_span, &ENVIRONMENT_FIELDS, &what),
            }
        }
        environment
    }

    fn token(&mut self, node: &Node) -> Option<String> {
        let text = self.filled_text(node, "`token`")?;
        let is_variable = text.starts_with(TOKEN_PREFIX)
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if is_variable {
            return Some(text.to_owned());
        }
        // What stands here may be a token itself, so neither the message nor an excerpt repeats it.
        let line = self.sources.position(node.span.file, node.span.start).line;
        let problem = Diagnostic::error(
            codes::BAD_TOKEN_NAME,
            format!("`token` must name a variable that begins with `{TOKEN_PREFIX}`"),
        )
        .at(Place::Line(Origin { file: PROJECT_FILE.to_owned(), line }))
        .hint(format!("for example `token: {TOKEN_PREFIX}_PROD`; that environment variable holds the token itself"))
        .hint("if this is a token, remove it from the file and revoke it");
        self.report(problem);
        None
    }

    fn limits(&mut self, node: &Node, project: &mut Project) {
        let Kind::Map(entries) = &node.kind else { return self.wrong_type(node, "`limits`", "a map") };
        for entry in entries {
            let (slot, most) = match entry.key.as_str() {
                "delete" => (&mut project.limits.delete, u64::MAX),
                "change_percent" => (&mut project.limits.change_percent, 100),
                _ => {
                    self.unknown_field(&entry.key, &entry.key_span, &LIMIT_FIELDS, "`limits`");
                    continue;
                }
            };
            match &entry.value.kind {
                Kind::Number(number) if number.as_u64().is_some_and(|value| value <= most) => {
                    *slot = number.as_u64().unwrap_or(*slot);
                }
                _ => {
                    let range = if most == 100 { "from 0 to 100" } else { "from 0" };
                    let message = format!("`{}` must be a whole number {range}", entry.key);
                    self.report(Diagnostic::error(codes::WRONG_TYPE, message).span(entry.value.span.clone()));
                }
            }
        }
    }

    /// Without a project file, the manifests alone say which environments there are. A mistyped name would otherwise be one
    /// of its own, in which every agent is made again.
    pub fn check_undeclared_environment(&mut self, project: &Project) {
        let wanted = project.environment.as_str();
        let is_known = project.has_project || matches!(wanted, "" | DEFAULT_NAME);
        if is_known || self.patched_environments.contains(wanted) || self.diagnostics.has_errors() {
            return;
        }
        let names: Vec<&str> = self.patched_environments.iter().map(String::as_str).collect();
        let problem = Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, format!("there is no environment `{wanted}`"));
        let problem = match nearest(wanted, names.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!(
                "there is no `{PROJECT_FILE}` and no manifest has a patch for it: leave out `--env`, or list the environment \
                 under `environments:` in `{PROJECT_FILE}`"
            )),
        };
        self.report(problem);
    }

    fn choose(&mut self, project: &mut Project, wanted: Option<&str>) {
        let names: Vec<&str> = project.environments.keys().map(String::as_str).collect();
        let place = Place::File(PROJECT_FILE.to_owned());
        let problem = match (wanted, names.as_slice()) {
            (Some(wanted), []) if wanted == project.environment => return,
            // A mistyped name would otherwise be an environment of its own, in which every agent is made again.
            (Some(wanted), []) if project.has_project => {
                let message = format!("there is no environment `{}`", yaml::shorten(wanted));
                Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, message).at(place).hint(format!(
                    "`{PROJECT_FILE}` lists no environments: leave out `--env`, or add the environment under `environments:`"
                ))
            }
            (Some(wanted), []) if is_name(wanted) => {
                project.environment = wanted.to_owned();
                return;
            }
            (Some(wanted), []) => Diagnostic::error(
                codes::BAD_NAME,
                format!("`{}` is not a valid name for an environment", yaml::shorten(wanted)),
            )
            .hint(NAME_RULE),
            (Some(wanted), names) if names.contains(&wanted) => {
                project.environment = wanted.to_owned();
                return;
            }
            (Some(wanted), names) => {
                let message = format!("there is no environment `{}`", yaml::shorten(wanted));
                let problem = Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, message).at(place);
                match nearest(wanted, names.iter().copied()) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint(format!("`{PROJECT_FILE}` has {}", list_of(names))),
                }
            }
            (None, []) => return,
            (None, [one]) => {
                project.environment = (*one).to_owned();
                return;
            }
            (None, names) => {
                Diagnostic::error(codes::ENVIRONMENT_NOT_CHOSEN, "there are several environments, and none was chosen")
                    .at(place)
                    .hint(format!("choose one with `--env`: {}", list_of(names)))
            }
        };
        project.environment = String::new();
        self.report(problem);
    }
}

const NAME_RULE: &str = "a name consists of letters, digits, `-`, `_` and `.`, begins with a letter or a digit, and has at most 63 characters";

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn bad_name(text: &str, what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(codes::BAD_NAME, format!("`{}` cannot be {what}", yaml::shorten(text))).span(span).hint(NAME_RULE)
}
