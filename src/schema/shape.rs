//! The answers to what planning asks of a schema.

use serde_json::Value;

use super::check::Leniency;
use super::compile::ConfigSchema;
use super::explain;
use super::graph::Graph;
use super::node::{Additional, NodeId};
use super::secret;
use super::validator::UNCHECKED;
use super::view::{self, View};
use crate::model::FieldPath;
use crate::model::look::sounds_secret;
use crate::model::shape::{ConfigShape, ShapeFault};

impl ConfigSchema {
    /// Whether the property at `path` says what the object is: it tells the branches of a union apart, or can have one value
    /// alone. A default says it as well, but not to a reader.
    pub fn names_kind(&self, config: &Value, path: &FieldPath) -> bool {
        let Some((parent, view, name)) = self.object_above(config, path) else { return false };
        let mut unions = view.all(&self.graph).flat_map(super::node::Node::unions);
        let has_one_value = |id: NodeId| {
            let values = self.graph.node(resolved(&self.graph, id)).values.as_ref();
            values.is_some_and(|values| values.len() == 1)
        };
        unions.any(|union| union.tag_property() == Some(name))
            || view.below(&self.graph, parent, name).into_iter().any(has_one_value)
    }
}

impl ConfigShape for ConfigSchema {
    /// A property that stands outside every union keeps its default whatever branch is picked, so it is told even
    /// where the branch is not.
    fn default_at(&self, config: &Value, path: &FieldPath) -> Option<Value> {
        let (parent, view, name) = self.object_above(config, path)?;
        view.below(&self.graph, parent, name).into_iter().find_map(|id| default_of(&self.graph, id))
    }

    fn marks_secret(&self, config: &Value, path: &FieldPath) -> bool {
        path.within_config().is_some_and(|path| secret::at(&self.graph, config, &path).marked)
    }

    /// Outside the config there is only the name to go by.
    fn is_secret(&self, config: &Value, path: &FieldPath) -> bool {
        path.within_config().map_or_else(
            || path.last().is_some_and(sounds_secret),
            |path| secret::at(&self.graph, config, &path).is_secret(),
        )
    }

    fn branch(&self, config: &Value, path: &FieldPath) -> Option<String> {
        let path = path.within_config()?;
        path.get(config)?;
        let view = view::at(&self.graph, config, &path)?;
        if view.untold || view.picks.is_empty() {
            return None;
        }
        let pointers: Vec<String> =
            view.picks.iter().map(|id| self.graph.node(resolved(&self.graph, *id)).pointer.clone()).collect();
        Some(pointers.join(" "))
    }

    fn accepts(&self, config: &Value, parent: &FieldPath, name: &str, value: &Value) -> bool {
        let path = parent.child(name);
        let Some((object, view, name)) = self.object_above(config, &path) else { return false };
        let names_nothing = !view.untold && view.all(&self.graph).all(super::node::Node::is_unsaid);
        if view.below(&self.graph, object, name).is_empty() && !names_nothing {
            return false;
        }
        let Some(within) = path.within_config() else { return false };
        let mut whole = config.clone();
        within.set(&mut whole, value.clone());
        // Other faults of the config are not this value's.
        self.is_valid(&whole) || !self.faults(&whole).iter().any(|fault| fault.path.starts_with(&path))
    }

    fn requires(&self, config: &Value, path: &FieldPath) -> bool {
        self.object_above(config, path)
            .is_some_and(|(_, view, name)| view.all(&self.graph).any(|node| node.required.contains(name)))
    }

    fn allows_null(&self, config: &Value, path: &FieldPath) -> bool {
        let Some(path) = path.within_config() else { return true };
        let (Some(above), Some(step)) = (path.parent(), path.last()) else {
            return self.graph.node(self.graph.root()).types.allow_null();
        };
        let (Some(parent), Some(view)) = (above.get(config), view::at(&self.graph, config, &above)) else {
            return false;
        };
        let places = view.below(&self.graph, parent, step);
        if places.is_empty() {
            // A name that nobody knows: an open object takes anything under it.
            return parent.is_object()
                && !view.untold
                && view.all(&self.graph).all(|node| node.additional != Additional::Closed);
        }
        places.iter().all(|id| self.graph.node(*id).types.allow_null())
    }

    fn faults(&self, config: &Value) -> Vec<ShapeFault> {
        if self.is_valid(config) {
            return Vec::new();
        }
        if self.patterns.is_spent() {
            return vec![ShapeFault { path: FieldPath::config(), message: UNCHECKED.to_owned() }];
        }
        let secret = |path: &FieldPath| secret::at(&self.graph, config, path).is_secret();
        explain::whole(self, config, &secret)
            .into_iter()
            .filter(|fault| self.leniency == Leniency::Strict || !fault.is_merely_unlisted())
            .map(|fault| ShapeFault { path: FieldPath::config().join(&fault.path), message: fault.message })
            .collect()
    }

    fn property_order(&self, config: &Value, path: &FieldPath) -> Vec<String> {
        let Some(view) = path.within_config().and_then(|path| view::at(&self.graph, config, &path)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        for (name, _) in view.all(&self.graph).flat_map(|node| &node.properties) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

impl ConfigSchema {
    /// The object above `path`, where it is present, with what applies to it and the last step.
    fn object_above<'v, 'p>(&self, config: &'v Value, path: &'p FieldPath) -> Option<(&'v Value, View, &'p str)> {
        let above = path.within_config()?.parent()?;
        let parent = above.get(config).filter(|parent| parent.is_object())?;
        Some((parent, view::at(&self.graph, config, &above)?, path.last()?))
    }
}

/// The default of a property: its own, else that of what it refers to.
fn default_of(graph: &Graph, id: NodeId) -> Option<Value> {
    let node = graph.node(id);
    node.default
        .clone()
        .or_else(|| node.reference.iter().chain(&node.all_of).find_map(|below| default_of(graph, *below)))
}

/// A branch that is a mere reference is known by what it refers to, so that it is the same branch wherever it is used.
fn resolved(graph: &Graph, id: NodeId) -> NodeId {
    graph.node(id).reference.map_or(id, |target| resolved(graph, target))
}
