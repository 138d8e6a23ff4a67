//! What of a schema applies to a value: a walk along a path that follows references and picked branches.

use serde_json::Value;

use super::branch::{Pick, pick, pick_absent};
use super::graph::Graph;
use super::node::{Additional, Node, NodeId};
use crate::model::FieldPath;

/// The places of the schema that apply to one value.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// All that certainly apply, from the outside in.
    pub nodes: Vec<NodeId>,
    /// The branches that were picked where there was a choice.
    pub picks: Vec<NodeId>,
    /// Whether a union met on the way has no told branch.
    pub untold: bool,
    /// Places that apply to some values: `then`, `else`, and every branch of a union that cannot be told.
    pub perhaps: Vec<NodeId>,
}

impl View {
    /// What applies to `value` by the schemas `start`. An absent value picks no branch, unless there is but one.
    pub fn of(graph: &Graph, start: &[NodeId], value: Option<&Value>) -> Self {
        let mut view = Self::default();
        for id in start {
            view.add(graph, *id, value);
        }
        view
    }

    // The depth is that of references in turn, which the reading of the schema bounds.
    fn add(&mut self, graph: &Graph, id: NodeId, value: Option<&Value>) {
        if self.nodes.contains(&id) {
            return;
        }
        self.nodes.push(id);
        let node = graph.node(id);
        for below in node.reference.iter().chain(&node.all_of) {
            self.add(graph, *below, value);
        }
        for union in node.unions() {
            let picked = value.map_or_else(|| pick_absent(union), |value| pick(union, value));
            match picked {
                Pick::Branch(index) => {
                    let branch = union.branches[index].node;
                    if union.is_choice() {
                        self.picks.push(branch);
                    }
                    self.add(graph, branch, value);
                }
                Pick::Untold => {
                    self.untold = true;
                    for branch in &union.branches {
                        self.add_perhaps(graph, branch.node);
                    }
                }
            }
        }
        for below in &node.sometimes {
            self.add_perhaps(graph, *below);
        }
    }

    fn add_perhaps(&mut self, graph: &Graph, id: NodeId) {
        if self.perhaps.contains(&id) {
            return;
        }
        self.perhaps.push(id);
        let node = graph.node(id);
        let unions = node.unions().flat_map(|union| union.branches.iter().map(|branch| &branch.node));
        for below in node.reference.iter().chain(&node.all_of).chain(unions).chain(&node.sometimes) {
            self.add_perhaps(graph, *below);
        }
    }

    /// The schemas of a property or an element, by what certainly applies.
    pub fn below(&self, graph: &Graph, parent: &Value, step: &str) -> Vec<NodeId> {
        below(graph, &self.nodes, parent, step)
    }

    /// The same, by what may apply.
    pub fn perhaps_below(&self, graph: &Graph, parent: &Value, step: &str) -> Vec<NodeId> {
        below(graph, &self.perhaps, parent, step)
    }

    /// The nodes themselves.
    pub fn all<'g>(&self, graph: &'g Graph) -> impl Iterator<Item = &'g Node> {
        self.nodes.iter().map(|id| graph.node(*id))
    }

    /// The name of what applies, for messages: that of the innermost place that names properties.
    pub fn name<'g>(&self, graph: &'g Graph) -> Option<&'g str> {
        self.all(graph).filter(|node| !node.properties.is_empty()).last().and_then(|node| node.name.as_deref())
    }
}

fn below(graph: &Graph, nodes: &[NodeId], parent: &Value, step: &str) -> Vec<NodeId> {
    let mut found = Vec::new();
    for node in nodes.iter().map(|id| graph.node(*id)) {
        match parent {
            Value::Object(_) => found.extend(property_nodes(node, step)),
            Value::Array(_) => {
                let index = step.parse::<usize>().ok();
                let listed = index.and_then(|index| node.prefix_items.get(index)).copied();
                found.extend(listed.or(node.items));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

/// The schemas that one place has for a property.
fn property_nodes(node: &Node, name: &str) -> Vec<NodeId> {
    let mut found: Vec<NodeId> = node.property(name).into_iter().collect();
    if !node.patterns.is_empty() {
        let text = Value::String(name.to_owned());
        found.extend(node.patterns.iter().filter(|(pattern, _)| pattern.is_match(&text)).map(|(_, id)| *id));
    }
    if let (true, Additional::Map(id)) = (found.is_empty(), node.additional) {
        found.push(id);
    }
    found
}

/// What applies at `path` (counted from the config) in `config`, where everything down to its parent is present.
pub fn at(graph: &Graph, config: &Value, path: &FieldPath) -> Option<View> {
    let mut value = Some(config);
    let mut view = View::of(graph, &[graph.root()], value);
    for step in path.steps() {
        let parent = value?;
        let start = view.below(graph, parent, step);
        value = child(parent, step);
        view = View::of(graph, &start, value);
    }
    Some(view)
}

/// The value one step below.
pub fn child<'v>(parent: &'v Value, step: &str) -> Option<&'v Value> {
    match parent {
        Value::Object(map) => map.get(step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
