//! Which places hold secrets: by the schema's own marks, and by name (design, section 10).

use serde_json::Value;

use super::graph::Graph;
use super::node::NodeId;
use super::view::{self, View};
use crate::model::FieldPath;
use crate::model::look::sounds_secret;

/// Why a place may hold a secret.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    /// The schema marks it.
    pub marked: bool,
    /// Its name sounds so, and text may stand there.
    pub sounds: bool,
}

impl Signs {
    /// Whether it may.
    pub(super) fn is_secret(self) -> bool {
        self.marked || self.sounds
    }
}

/// Whether the place at `path`, counted from the config, holds a secret, and by what sign.
pub(super) fn at(graph: &Graph, config: &Value, path: &FieldPath) -> Signs {
    let mut value = Some(config);
    let mut view = View::of(graph, &[graph.root()], value);
    let mut name = None;
    for step in path.steps() {
        if marked(graph, &view) {
            return Signs { marked: true, sounds: false };
        }
        let Some(parent) = value else {
            // Below what is not there only the name can tell.
            return Signs { marked: false, sounds: path.last().is_some_and(sounds_secret) };
        };
        // An element has the name of its list.
        if parent.is_object() {
            name = Some(step.as_str());
        }
        let mut start = view.below(graph, parent, step);
        if view.untold {
            // A branch that cannot be told may be the one that marks the place.
            start.extend(view.perhaps_below(graph, parent, step));
        }
        value = view::child(parent, step);
        view = View::of(graph, &start, value);
    }
    Signs { marked: marked(graph, &view), sounds: name.is_some_and(sounds_secret) && may_be_text(graph, &view, value) }
}

fn marked(graph: &Graph, view: &View) -> bool {
    let marks = |id: &NodeId| graph.node(*id).secret;
    // A nullable secret is marked inside its union, which an absent or a null value does not pick.
    view.nodes.iter().any(marks) || view.perhaps.iter().any(marks) || in_branches(graph, view)
}

fn in_branches(graph: &Graph, view: &View) -> bool {
    view.all(graph).flat_map(super::node::Node::unions).any(|union| {
        let mut real = union.branches.iter().filter(|branch| branch.types.allow_more_than_null());
        match (real.next(), real.next()) {
            (Some(only), None) => View::of(graph, &[only.node], None).all(graph).any(|node| node.secret),
            _ => false,
        }
    })
}

/// Only text can be a secret: `max_tokens` counts tokens and is a number.
fn may_be_text(graph: &Graph, view: &View, value: Option<&Value>) -> bool {
    match value {
        Some(value) => value.is_string(),
        None => view.all(graph).all(|node| node.types.allow_text()),
    }
}
