//! From the validator's errors to faults that a person can mend: of a failed union only the branch that was meant.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::branch::{self, Pick};
use super::codes;
use super::compile::ConfigSchema;
use super::graph::Graph;
use super::node::{NodeId, Types, Union};
use super::partial;
use super::validator::UNCHECKED;
use super::view;
use super::words::{kind, listed, nearest, quoted};
use crate::model::FieldPath;

/// Which part of a place a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The value.
    Value,
    /// The name under which it stands.
    Key,
    /// Nothing stands there: the object above is meant.
    Absent,
}

/// One fault of a config.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where, counted from the config.
    pub path: FieldPath,
    /// What of it.
    pub spot: Spot,
    /// A code of [`codes::ALL`].
    pub code: &'static str,
    /// What is wrong, without any value that could be a secret.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
    /// What was probably meant instead.
    pub meant: Option<String>,
}

impl Fault {
    /// Whether all that is wrong is that the schema does not list a value, which the service may know all the same.
    pub fn is_merely_unlisted(&self) -> bool {
        self.code == codes::ENUM || self.code == codes::BRANCH
    }
}

type Secrets<'a> = dyn Fn(&FieldPath) -> bool + 'a;

/// The union at a location of a validator's document, and whether all of its value is there to be judged.
type UnionAt<'a, 'u> = dyn Fn(&str) -> Option<(&'u Union, bool)> + 'a;

/// The faults of a whole config, sorted by path.
pub(super) fn whole(schema: &ConfigSchema, config: &Value, secret: &Secrets<'_>) -> Vec<Fault> {
    let union = |location: &str| {
        let (pointer, keyword) = location.rsplit_once('/')?;
        let node = schema.graph.node(schema.graph.at(pointer)?);
        let union = if keyword == "oneOf" { node.one_of.as_ref() } else { node.any_of.as_ref() };
        union.map(|union| (union, true))
    };
    run(&schema.graph, &union, config, secret, schema.whole.iter_errors(config))
}

/// The faults of what is declared of a config, sorted by path.
pub(super) fn declared(schema: &ConfigSchema, config: &Value, secret: &Secrets<'_>) -> Vec<Fault> {
    let union = |location: &str| {
        let partial::Location { node, one_of, whole } = partial::union_at(location)?;
        let node = schema.graph.node(node);
        let union = if one_of { node.one_of.as_ref() } else { node.any_of.as_ref() };
        union.map(|union| (union, whole))
    };
    run(&schema.graph, &union, config, secret, schema.declared.iter_errors(config))
}

fn run<'e>(
    graph: &Graph,
    union_at: &UnionAt<'_, 'e>,
    config: &Value,
    secret: &Secrets<'_>,
    errors: impl Iterator<Item = ValidationError<'e>>,
) -> Vec<Fault> {
    let mut explainer = Explainer { graph, union_at, config, secret, faults: Vec::new() };
    for error in errors {
        explainer.explain(&error);
    }
    let mut faults = explainer.faults;
    faults.sort();
    faults.dedup();
    faults
}

struct Explainer<'a, 'u> {
    graph: &'a Graph,
    union_at: &'a UnionAt<'a, 'u>,
    config: &'a Value,
    secret: &'a Secrets<'a>,
    faults: Vec<Fault>,
}

impl Explainer<'_, '_> {
    fn explain(&mut self, error: &ValidationError<'_>) {
        let path = path_of(error);
        let value = path.get(self.config).unwrap_or(&Value::Null);
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                self.no_branch(error, &path, value, context);
            }
            ValidationErrorKind::OneOfMultipleValid { .. } => self.many_branches(error, &path, value),
            ValidationErrorKind::Type { kind: wanted } => self.wrong_type(path, types(wanted), value),
            ValidationErrorKind::Enum { options } => self.not_listed(path, value, options),
            ValidationErrorKind::Constant { expected_value } => {
                let message = format!("expected {}, found {}", quoted(expected_value), self.shown(&path, value));
                self.add(path, codes::ENUM, message).meant = expected_value.as_str().map(str::to_owned);
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let message = format!("`{name}` is missing{}", self.of_model(&path));
                self.add(path.child(name), codes::MISSING, message).spot = Spot::Absent;
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    let fault = unknown_property(self.graph, self.config, &path, name);
                    self.faults.push(fault);
                }
            }
            _ => self.bound(error, path, value),
        }
    }

    /// Bounds, patterns and formats: faults that are about one scalar, or the size of one thing.
    fn bound(&mut self, error: &ValidationError<'_>, path: FieldPath, value: &Value) {
        use ValidationErrorKind as Kind;
        let shown = self.shown(&path, value);
        let (code, message) = match error.kind() {
            Kind::Minimum { limit } => (codes::RANGE, format!("{shown} is less than {limit}")),
            Kind::Maximum { limit } => (codes::RANGE, format!("{shown} is more than {limit}")),
            Kind::ExclusiveMinimum { limit } => (codes::RANGE, format!("{shown} is not more than {limit}")),
            Kind::ExclusiveMaximum { limit } => (codes::RANGE, format!("{shown} is not less than {limit}")),
            Kind::MultipleOf { multiple_of } => (codes::RANGE, format!("{shown} is not a multiple of {multiple_of}")),
            Kind::MinLength { limit } => (codes::LENGTH, format!("the text has fewer characters than {limit}")),
            Kind::MaxLength { limit } => (codes::LENGTH, format!("the text has more characters than {limit}")),
            Kind::MinItems { limit } => (codes::LENGTH, format!("the list has fewer elements than {limit}")),
            Kind::MaxItems { limit } => (codes::LENGTH, format!("the list has more elements than {limit}")),
            Kind::AdditionalItems { limit } => (codes::LENGTH, format!("the list has more elements than {limit}")),
            Kind::MinProperties { limit } => (codes::LENGTH, format!("the object has fewer properties than {limit}")),
            Kind::MaxProperties { limit } => (codes::LENGTH, format!("the object has more properties than {limit}")),
            Kind::Pattern { pattern } => (codes::PATTERN, format!("{shown} does not match {}", quoted_text(pattern))),
            Kind::Custom { message, .. } if message == UNCHECKED => (codes::SLOW_PATTERN, UNCHECKED.to_owned()),
            Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
                (codes::SLOW_PATTERN, "the schema's pattern takes too long on this text to be checked".to_owned())
            }
            Kind::Format { format } => (codes::FORMAT, format!("{shown} is not a valid {}", quoted_text(format))),
            Kind::ContentEncoding { content_encoding } => {
                (codes::FORMAT, format!("the text is not encoded as {}", quoted_text(content_encoding)))
            }
            Kind::ContentMediaType { content_media_type } => {
                (codes::FORMAT, format!("the text is not {}", quoted_text(content_media_type)))
            }
            Kind::FromUtf8 { .. } => (codes::FORMAT, "the encoded text is not UTF-8".to_owned()),
            Kind::UniqueItems => (codes::LIST, "the list holds the same element twice".to_owned()),
            Kind::Contains => (codes::LIST, "the list lacks a required element".to_owned()),
            Kind::UnevaluatedItems { .. } => (codes::LIST, "the list holds elements that are not allowed".to_owned()),
            Kind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default().to_owned();
                let message = format!("{} is not a valid property name here", quoted_text(&name));
                self.add(path.child(name), codes::UNKNOWN, message).spot = Spot::Key;
                return;
            }
            Kind::Not { schema } => (codes::FORBIDDEN, forbidden(schema, &shown)),
            Kind::FalseSchema => (codes::FORBIDDEN, "nothing is allowed here".to_owned()),
            _ => (codes::FORBIDDEN, format!("{shown} is not what the schema asks for")),
        };
        self.add(path, code, message);
    }

    fn wrong_type(&mut self, path: FieldPath, wanted: Types, value: &Value) {
        let words: Vec<String> = wanted.words().into_iter().map(str::to_owned).collect();
        let found = if wanted.allow(&Value::from(0)) && value.is_f64() { "a fraction" } else { kind(value) };
        let hint = match value {
            Value::Number(_) | Value::Bool(_) if wanted.allow_text() => Some("put it in quotes to make it a string"),
            Value::String(text) if wanted.allow(&Value::from(0)) && text.trim().parse::<f64>().is_ok() => {
                Some("take the quotes away to make it a number")
            }
            _ => None,
        };
        let message = format!("expected {}, found {found}", listed(&words, "or"));
        let fault = self.add(path, codes::TYPE, message);
        fault.hints.extend(hint.map(str::to_owned));
    }

    fn not_listed(&mut self, path: FieldPath, value: &Value, options: &Value) {
        let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
        let message = format!("{} is not {}", self.shown(&path, value), alternatives(options));
        self.add_with_nearest(path, codes::ENUM, message, value, options);
    }

    /// No branch of a union holds: finds the one that was meant, and explains that one.
    fn no_branch(
        &mut self,
        error: &ValidationError<'_>,
        path: &FieldPath,
        value: &Value,
        context: &[Vec<ValidationError<'static>>],
    ) {
        if let Some((union, whole)) = (self.union_at)(error.schema_path().as_str()) {
            if !union.branches.iter().any(|branch| branch.types.allow(value)) {
                let wanted = union.branches.iter().map(|branch| branch.types).fold(Types::NONE, Types::union);
                return self.wrong_type(path.clone(), wanted, value);
            }
            if let Some((property, found)) = branch::unknown_tag(union, value) {
                return self.unknown_tag(path, union, property, found);
            }
            if let Pick::Branch(index) = branch::pick(union, value)
                && let Some(errors) = context.get(index)
            {
                return errors.iter().for_each(|error| self.explain(error));
            }
            // What tells the branch of a part may stand in the live config.
            if whole && self.untold_by_tag(path, union, value) {
                return;
            }
        }
        self.nearest_branch(path, context);
    }

    fn unknown_tag(&mut self, path: &FieldPath, union: &Union, property: &str, found: &Value) {
        let at = path.child(property);
        let known = union.tag_values(property);
        let message = format!("{} is not {}", self.shown(&at, found), alternatives(&known));
        self.add_with_nearest(at, codes::BRANCH, message, found, &known);
    }

    /// Says which property is missing that would tell the branch; `false` where that is not what is wrong.
    fn untold_by_tag(&mut self, path: &FieldPath, union: &Union, value: &Value) -> bool {
        let Some(property) = union.tag_property().filter(|name| value.is_object() && value.get(name).is_none()) else {
            return false;
        };
        let known = alternatives(&union.tag_values(property));
        let message = format!("`{property}` is missing, which must be {known}");
        self.add(path.child(property), codes::NO_BRANCH, message).spot = Spot::Absent;
        true
    }

    fn many_branches(&mut self, error: &ValidationError<'_>, path: &FieldPath, value: &Value) {
        let union = (self.union_at)(error.schema_path().as_str()).map(|(union, _)| union);
        if union.is_some_and(|union| self.untold_by_tag(path, union, value)) {
            return;
        }
        let names: Vec<String> = union
            .into_iter()
            .flat_map(|union| &union.branches)
            .filter_map(|branch| name_of(self.graph, branch.node))
            .map(quoted_text)
            .collect();
        let of = if names.is_empty() { String::new() } else { format!(" of {}", listed(&names, "and")) };
        self.add(path.clone(), codes::UNION, format!("this fits more than one form{of}, but must fit exactly one"));
    }

    /// Nothing tells the branch: where all that is wrong is what is missing, the ways out are listed; else the branch
    /// with the fewest errors is taken for the one that was meant.
    fn nearest_branch(&mut self, path: &FieldPath, context: &[Vec<ValidationError<'static>>]) {
        let ways: Option<Vec<String>> = context.iter().map(|errors| only_missing(path, errors)).collect();
        if let Some(ways) = ways.filter(|ways| ways.len() > 1) {
            let message = format!("one of these is required: {}", ways.join("; or "));
            self.add(path.clone(), codes::MISSING, message);
            return;
        }
        let own_type = |error: &ValidationError<'_>| {
            matches!(error.kind(), ValidationErrorKind::Type { .. }) && path_of(error) == *path
        };
        let nearest = context.iter().min_by_key(|errors| (errors.iter().any(own_type), errors.len()));
        match nearest {
            Some(errors) if !errors.is_empty() => errors.iter().for_each(|error| self.explain(error)),
            _ => {
                self.add(path.clone(), codes::UNION, "this fits none of the forms that the schema allows".to_owned());
            }
        }
    }

    fn add(&mut self, path: FieldPath, code: &'static str, message: String) -> &mut Fault {
        let at = self.faults.len();
        self.faults.push(Fault { path, spot: Spot::Value, code, message, hints: Vec::new(), meant: None });
        &mut self.faults[at]
    }

    fn add_with_nearest(
        &mut self,
        path: FieldPath,
        code: &'static str,
        message: String,
        found: &Value,
        known: &[Value],
    ) {
        // The nearest word would tell most of a secret.
        let meant = found
            .as_str()
            .filter(|_| !(self.secret)(&path))
            .and_then(|found| nearest(found, known.iter().filter_map(Value::as_str)))
            .map(str::to_owned);
        let fault = self.add(path, code, message);
        fault.hints.extend(meant.iter().map(|meant| format!("did you mean `{meant}`?")));
        fault.meant = meant;
    }

    /// A value for a message: itself, or no more than that it is one. What lists and objects hold is never quoted, for
    /// a secret may stand anywhere in them.
    fn shown(&self, path: &FieldPath, value: &Value) -> String {
        match value {
            _ if (self.secret)(path) => "the value".to_owned(),
            Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => quoted(value),
        }
    }

    fn of_model(&self, path: &FieldPath) -> String {
        view::at(self.graph, self.config, path)
            .and_then(|view| view.name(self.graph).map(|name| format!(" in {}", quoted_text(name))))
            .unwrap_or_default()
    }
}

/// A property of the object at `path` that nobody knows, with the one that was probably meant.
pub(super) fn unknown_property(graph: &Graph, config: &Value, path: &FieldPath, name: &str) -> Fault {
    let view = view::at(graph, config, path).unwrap_or_default();
    let model = view.name(graph).map(|name| format!(" in {}", quoted_text(name))).unwrap_or_default();
    let present = |known: &&str| path.get(config).and_then(|object| object.get(known)).is_none();
    let known = view.nodes.iter().chain(&view.perhaps).flat_map(|id| &graph.node(*id).properties);
    let meant = nearest(name, known.map(|(known, _)| known.as_str()).filter(present)).map(str::to_owned);
    if let Some(group) = group_of(graph, &view, name) {
        return Fault {
            path: path.child(name),
            spot: Spot::Key,
            code: codes::UNKNOWN,
            message: format!("unknown property {}{model}", quoted_text(name)),
            hints: vec![format!("it belongs under `{group}`: write `{group}: {{{name}: …}}`")],
            meant: None,
        };
    }
    Fault {
        path: path.child(name),
        spot: Spot::Key,
        code: codes::UNKNOWN,
        message: format!("unknown property {}{model}", quoted_text(name)),
        hints: meant.iter().map(|meant| format!("did you mean `{meant}`?")).collect(),
        meant,
    }
}

/// The object beside which a property was written instead of in it, as with a parameter that stands next to the name of
/// its model.
fn group_of(graph: &Graph, view: &view::View, name: &str) -> Option<String> {
    let beside = view.nodes.iter().flat_map(|id| &graph.node(*id).properties);
    beside
        .filter(|(group, id)| {
            let below = view::View::of(graph, &[*id], None);
            group == GROUP && below.nodes.iter().any(|id| graph.node(*id).property(name).is_some())
        })
        .map(|(group, _)| group.clone())
        .next()
}

/// What the service calls the settings of a model.
const GROUP: &str = "parameters";

/// The properties that a branch lacks at `path`, where that is all that is wrong with it.
fn only_missing(path: &FieldPath, errors: &[ValidationError<'_>]) -> Option<String> {
    let names: Option<Vec<String>> = errors
        .iter()
        .map(|error| match error.kind() {
            ValidationErrorKind::Required { property } if path_of(error) == *path => property.as_str().map(quoted_text),
            _ => None,
        })
        .collect();
    names.filter(|names| !names.is_empty()).map(|names| listed(&names, "and"))
}

fn alternatives(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(quoted).collect();
    if words.len() > 1 { format!("one of {}", listed(&words, "or")) } else { listed(&words, "or") }
}

/// What a `not` rules out, in the schema's own words where it has some.
fn forbidden(schema: &Value, shown: &str) -> String {
    match schema.get("description").or_else(|| schema.get("title")).and_then(Value::as_str) {
        Some(words) => format!("not allowed: {words}"),
        None => match schema.get("required").and_then(Value::as_array) {
            Some(names) => {
                let names: Vec<String> = names.iter().map(quoted).collect();
                format!("{} cannot be used together", listed(&names, "and"))
            }
            None if shown.chars().count() > 40 => "the schema rules this value out".to_owned(),
            None => format!("the schema rules {shown} out"),
        },
    }
}

fn name_of(graph: &Graph, id: NodeId) -> Option<&str> {
    let node = graph.node(id);
    node.name.as_deref().or_else(|| node.reference.and_then(|target| name_of(graph, target)))
}

fn quoted_text(text: &str) -> String {
    quoted(&Value::String(text.to_owned()))
}

fn types(wanted: &TypeKind) -> Types {
    let of = |word: &str| Types::word(word).unwrap_or(Types::NONE);
    match wanted {
        TypeKind::Single(single) => of(single.as_str()),
        TypeKind::Multiple(many) => many.into_iter().map(|single| of(single.as_str())).fold(Types::NONE, Types::union),
    }
}

fn path_of(error: &ValidationError<'_>) -> FieldPath {
    FieldPath::of(error.instance_path().segments().map(|segment| match segment {
        LocationSegment::Property(name) => name.into_owned(),
        LocationSegment::Index(index) => index.to_string(),
    }))
}
