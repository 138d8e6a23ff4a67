//! What can be said of a schema's places once all references are known: no loops, the types of a place, and what tells
//! the branches of a union apart.

use std::collections::{BTreeMap, BTreeSet};

use super::error::SchemaError;
use super::graph::Mapping;
use super::node::{Discriminator, Node, NodeId, Tag, Types};
use super::words::place;

/// How many places in turn may apply to one value. A config's schema needs about six.
const MAX_CHAIN: usize = 200;

/// How many places may apply to one value when every branch is counted as often as it is reached. Twice-named branches
/// inside twice-named branches double this with every level, and validation with it.
const MAX_WAYS: usize = 100_000;

/// An `enum` with more values is no mark of a branch.
const MAX_TAG_VALUES: usize = 64;

/// Refuses references in a ring, and chains or fans of them that would cost too much.
pub(super) fn refuse_loops(nodes: &[Node]) -> Result<(), SchemaError> {
    let mut ways = vec![0_usize; nodes.len()];
    let mut depth = vec![0_usize; nodes.len()];
    let mut open = vec![false; nodes.len()];
    for start in 0..nodes.len() {
        let mut stack = vec![(start, false)];
        while let Some((at, leaving)) = stack.pop() {
            if leaving {
                let below = || nodes[at].same_value().map(|id| id.0);
                ways[at] = below().fold(1, |sum: usize, id| sum.saturating_add(ways[id]));
                depth[at] = below().map(|id| depth[id]).max().unwrap_or(0) + 1;
                open[at] = false;
                if depth[at] > MAX_CHAIN {
                    let what = format!("more than {MAX_CHAIN} references in turn at `{}`", place(&nodes[at].pointer));
                    return Err(SchemaError::TooComplex { what });
                }
                if ways[at] > MAX_WAYS {
                    let what =
                        format!("more than {MAX_WAYS} ways to read one value at `{}`", place(&nodes[at].pointer));
                    return Err(SchemaError::TooComplex { what });
                }
                continue;
            }
            if ways[at] > 0 {
                continue;
            }
            if open[at] {
                return Err(SchemaError::EndlessReference { pointer: place(&nodes[at].pointer) });
            }
            open[at] = true;
            stack.push((at, true));
            stack.extend(nodes[at].same_value().map(|id| (id.0, false)));
        }
    }
    Ok(())
}

/// Fills in what a place may hold, and what tells the branches of its unions apart.
pub(super) fn types_and_branches(nodes: &mut [Node]) {
    let order = inner_first(nodes);
    for id in &order {
        nodes[*id].types = types_of(nodes, *id);
    }
    let mut tags: Vec<Vec<Tag>> = vec![Vec::new(); nodes.len()];
    for id in &order {
        tags[*id] = tags_of(nodes, &tags, *id);
    }
    let types: Vec<Types> = nodes.iter().map(|node| node.types).collect();
    for node in nodes.iter_mut() {
        for branch in node.any_of.iter_mut().chain(node.one_of.iter_mut()).flat_map(|union| &mut union.branches) {
            branch.types = types[branch.node.0];
            branch.tags.clone_from(&tags[branch.node.0]);
        }
    }
}

/// Resolves what each `discriminator` maps to.
pub(super) fn discriminators(nodes: &mut [Node], by_pointer: &BTreeMap<String, NodeId>, mappings: &[Mapping]) {
    for Mapping { node, property, targets } in mappings {
        let at = &nodes[node.0];
        let Some(union) = at.one_of.as_ref().or(at.any_of.as_ref()) else { continue };
        let mut mapping = BTreeMap::new();
        for (value, target) in targets {
            let pointer = target.strip_prefix('#').map_or_else(
                || ["/$defs/", "/definitions/", "/components/schemas/"].map(|base| format!("{base}{target}")).to_vec(),
                |pointer| vec![pointer.to_owned()],
            );
            let Some(target) = pointer.iter().find_map(|pointer| by_pointer.get(pointer)) else { continue };
            let branch = union.branches.iter().position(|branch| leads_to(nodes, branch.node, *target));
            if let Some(branch) = branch {
                mapping.insert(value.clone(), branch);
            }
        }
        let discriminator = Discriminator { property: property.clone(), mapping };
        let at = &mut nodes[node.0];
        if let Some(union) = at.one_of.as_mut().or(at.any_of.as_mut()) {
            union.discriminator = Some(discriminator);
        }
    }
}

/// Places in an order in which each comes after all that apply to the same value. There are no loops by now.
fn inner_first(nodes: &[Node]) -> Vec<usize> {
    let mut done = vec![false; nodes.len()];
    let mut order = Vec::with_capacity(nodes.len());
    for start in 0..nodes.len() {
        let mut stack = vec![(start, false)];
        while let Some((at, leaving)) = stack.pop() {
            if leaving {
                if !done[at] {
                    done[at] = true;
                    order.push(at);
                }
            } else if !done[at] {
                stack.push((at, true));
                stack.extend(nodes[at].same_value().map(|id| (id.0, false)));
            }
        }
    }
    order
}

fn types_of(nodes: &[Node], id: usize) -> Types {
    let node = &nodes[id];
    if node.never {
        return Types::NONE;
    }
    let always = node.reference.iter().chain(&node.all_of).map(|below| nodes[below.0].types);
    let unions = node
        .unions()
        .map(|union| union.branches.iter().map(|branch| nodes[branch.node.0].types).fold(Types::NONE, Types::union));
    always.chain(unions).fold(node.own_types, Types::intersection)
}

fn tags_of(nodes: &[Node], known: &[Vec<Tag>], id: usize) -> Vec<Tag> {
    let node = &nodes[id];
    let mut tags: Vec<Tag> = Vec::new();
    for (property, at) in &node.properties {
        if let Some(values) = fixed_values(nodes, *at) {
            tags.push(Tag { property: property.clone(), values, default: default_of(nodes, *at) });
        }
    }
    for below in node.reference.iter().chain(&node.all_of) {
        tags.extend(known[below.0].iter().filter(|tag| !names(&tags, &tag.property)).cloned().collect::<Vec<_>>());
    }
    // A branch that is itself a union bears a mark where all of its own branches do.
    for union in node.unions() {
        let branches: Vec<&Vec<Tag>> = union
            .branches
            .iter()
            .filter(|branch| nodes[branch.node.0].types.allow_more_than_null())
            .map(|branch| &known[branch.node.0])
            .collect();
        let Some((first, rest)) = branches.split_first() else { continue };
        for tag in *first {
            if names(&tags, &tag.property) || !rest.iter().all(|other| names(other, &tag.property)) {
                continue;
            }
            let all = branches.iter().copied().flatten().filter(|other| other.property == tag.property);
            let mut values = Vec::new();
            for value in all.flat_map(|other| &other.values) {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            let default = rest.is_empty().then(|| tag.default.clone()).flatten();
            tags.push(Tag { property: tag.property.clone(), values, default });
        }
    }
    tags
}

fn names(tags: &[Tag], property: &str) -> bool {
    tags.iter().any(|tag| tag.property == property)
}

/// The values of a `const` or a short `enum`, through references.
pub(super) fn fixed_values(nodes: &[Node], id: NodeId) -> Option<Vec<serde_json::Value>> {
    let node = &nodes[id.0];
    if let Some(values) = node.values.as_ref().filter(|values| values.len() <= MAX_TAG_VALUES) {
        return Some(values.clone());
    }
    node.reference.iter().chain(&node.all_of).find_map(|below| fixed_values(nodes, *below))
}

fn default_of(nodes: &[Node], id: NodeId) -> Option<serde_json::Value> {
    let node = &nodes[id.0];
    node.default.clone().or_else(|| node.reference.iter().chain(&node.all_of).find_map(|at| default_of(nodes, *at)))
}

fn leads_to(nodes: &[Node], from: NodeId, target: NodeId) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![from];
    while let Some(at) = stack.pop() {
        if at == target {
            return true;
        }
        if seen.insert(at) {
            let node = &nodes[at.0];
            let unions = node.unions().flat_map(|union| union.branches.iter().map(|branch| branch.node));
            stack.extend(node.reference.into_iter().chain(unions));
        }
    }
    false
}
