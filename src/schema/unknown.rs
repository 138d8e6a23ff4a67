//! Properties that the schema does not know. No validator speaks of them where an object is open, and a typing mistake
//! is most often just that.

use serde_json::Value;

use super::explain::{self, Fault};
use super::graph::Graph;
use super::node::{Additional, Node, NodeId};
use super::view::View;
use crate::model::FieldPath;

/// An unknown property, and whether the object says that it takes no such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// The fault.
    pub fault: Fault,
    /// Whether the object is closed.
    pub closed: bool,
}

/// All unknown properties of what is declared. Those that `additionalProperties: false` forbids are left to the
/// validator, which reports them itself.
pub(super) fn find(graph: &Graph, config: &Value) -> Vec<Unknown> {
    let mut search = Search { graph, config, found: Vec::new() };
    search.walk(&[graph.root()], config, &FieldPath::root());
    search.found
}

struct Search<'a> {
    graph: &'a Graph,
    config: &'a Value,
    found: Vec<Unknown>,
}

impl Search<'_> {
    // The depth is that of the config, which its parser bounds.
    fn walk(&mut self, start: &[NodeId], value: &Value, path: &FieldPath) {
        if start.is_empty() || value.is_null() {
            return;
        }
        match value {
            Value::Object(map) => {
                let view = View::of(self.graph, start, Some(value));
                for (name, below) in map {
                    let places = view.below(self.graph, value, name);
                    if places.is_empty() {
                        self.judge(&view, value, path, name);
                    }
                    self.walk(&places, below, &path.child(name));
                }
            }
            Value::Array(list) => {
                let view = View::of(self.graph, start, Some(value));
                for (index, below) in list.iter().enumerate() {
                    let step = index.to_string();
                    self.walk(&view.below(self.graph, value, &step), below, &path.child(step));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn judge(&mut self, view: &View, object: &Value, path: &FieldPath, name: &str) {
        let nodes = || view.all(self.graph);
        let names_something = |node: &Node| !node.properties.is_empty();
        let perhaps_known = !view.perhaps_below(self.graph, object, name).is_empty();
        let reported = nodes().any(|node| node.additional == Additional::Closed && !node.closed_late);
        // An object of which nothing is named takes what it gets: there is no name to mistake.
        if perhaps_known || reported || !nodes().any(names_something) {
            return;
        }
        let closed = nodes().any(|node| node.closed_late);
        let fault = explain::unknown_property(self.graph, self.config, path, name);
        self.found.push(Unknown { fault, closed });
    }
}
