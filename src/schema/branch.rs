//! Which branch of a union a value has picked (design, section 5: equality).

use serde_json::Value;

use super::node::{Branch, Tag, Union};

/// What became of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// This branch, by its place in the union.
    Branch(usize),
    /// It cannot be told, and then nothing is assumed.
    Untold,
}

/// Picks by `discriminator`; else by a constant (its default counting where the property is absent); else takes the
/// only branch of the value's JSON type.
pub fn pick(union: &Union, value: &Value) -> Pick {
    if let Some(chosen) = by_discriminator(union, value) {
        return chosen;
    }
    let typed: Vec<usize> =
        (0..union.branches.len()).filter(|index| union.branches[*index].types.allow(value)).collect();
    if let [only] = typed.as_slice() {
        return Pick::Branch(*only);
    }
    let verdicts: Vec<(usize, Verdict)> =
        typed.into_iter().map(|index| (index, verdict(&union.branches[index], value))).collect();
    only(&verdicts, |verdict| verdict == Verdict::Named)
        // What a constant rules out is no candidate, so that a single untagged branch beside tagged ones is found.
        .or_else(|| only(&verdicts, |verdict| verdict != Verdict::RuledOut))
        .map_or(Pick::Untold, Pick::Branch)
}

/// The branch of a place that holds nothing yet: the only one that is more than null.
pub fn pick_absent(union: &Union) -> Pick {
    let mut real = (0..union.branches.len()).filter(|index| union.branches[*index].types.allow_more_than_null());
    match (real.next(), real.next()) {
        (Some(only), None) => Pick::Branch(only),
        _ => Pick::Untold,
    }
}

/// `None` where the schema names no discriminator, or where the value has none and constants may still tell.
fn by_discriminator(union: &Union, value: &Value) -> Option<Pick> {
    let discriminator = union.discriminator.as_ref()?;
    let tag = value.as_object()?.get(&discriminator.property)?;
    if let Some(branch) = tag.as_str().and_then(|text| discriminator.mapping.get(text)) {
        return Some(Pick::Branch(*branch));
    }
    let holds =
        |branch: &Branch| branch.tags.iter().any(|own| own.property == discriminator.property && own.holds(tag));
    let mut named = (0..union.branches.len()).filter(|index| holds(&union.branches[*index]));
    Some(match (named.next(), named.next()) {
        (Some(only), None) => Pick::Branch(only),
        _ => Pick::Untold,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Every constant of the branch is as it must be.
    Named,
    /// A constant is another.
    RuledOut,
    /// No constant says anything.
    Silent,
}

fn verdict(branch: &Branch, value: &Value) -> Verdict {
    let Value::Object(map) = value else { return Verdict::Silent };
    let mut verdict = Verdict::Silent;
    for tag in branch.tags.iter().filter(|tag| tag.is_constant()) {
        match map.get(&tag.property).or(tag.default.as_ref()) {
            Some(found) if tag.holds(found) => verdict = Verdict::Named,
            Some(_) => return Verdict::RuledOut,
            None => {}
        }
    }
    verdict
}

fn only(verdicts: &[(usize, Verdict)], good: impl Fn(Verdict) -> bool) -> Option<usize> {
    let mut found = verdicts.iter().filter(|(_, verdict)| good(*verdict)).map(|(index, _)| *index);
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The mark that a value bears in a union, and whether any branch knows it.
pub fn unknown_tag<'u, 'v>(union: &'u Union, value: &'v Value) -> Option<(&'u str, &'v Value)> {
    let property = union.tag_property()?;
    let found = value.as_object()?.get(property)?;
    let known = |tag: &Tag| tag.property == property && tag.holds(found);
    let mapped = union
        .discriminator
        .as_ref()
        .is_some_and(|own| found.as_str().is_some_and(|text| own.mapping.contains_key(text)));
    (!mapped && !union.branches.iter().flat_map(|branch| &branch.tags).any(known)).then_some((property, found))
}

#[cfg(test)]
mod tests {
    use super::super::graph::Graph;
    use super::super::validator::Patterns;
    use super::*;
    use serde_json::json;

    fn chosen(schema: &Value, value: &Value) -> Pick {
        let graph = Graph::read(schema, &Patterns::of(schema).unwrap()).unwrap();
        let root = graph.node(graph.root());
        pick(root.unions().next().unwrap(), value)
    }

    #[test]
    fn a_discriminator_picks_by_its_mapping_even_where_constants_say_nothing() {
        let schema = json!({
            "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
            "discriminator": {"propertyName": "kind", "mapping": {"a": "#/$defs/A", "b": "B"}},
            "$defs": {"A": {"type": "object"}, "B": {"type": "object"}}
        });
        assert_eq!(chosen(&schema, &json!({"kind": "a"})), Pick::Branch(0));
        assert_eq!(chosen(&schema, &json!({"kind": "b"})), Pick::Branch(1));
        assert_eq!(chosen(&schema, &json!({"kind": "c"})), Pick::Untold);
        assert_eq!(chosen(&schema, &json!({})), Pick::Untold);
    }

    #[test]
    fn a_constant_counts_by_its_default_where_the_property_is_absent() {
        let schema = json!({"anyOf": [
            {"type": "object", "properties": {"kind": {"const": "a", "default": "a"}}},
            {"type": "object", "properties": {"kind": {"enum": ["b"]}}, "required": ["kind"]},
            {"type": "null"}
        ]});
        assert_eq!(chosen(&schema, &json!({})), Pick::Branch(0));
        assert_eq!(chosen(&schema, &json!({"kind": "b"})), Pick::Branch(1));
        assert_eq!(chosen(&schema, &json!({"kind": "c"})), Pick::Untold);
        assert_eq!(chosen(&schema, &Value::Null), Pick::Branch(2));
    }

    #[test]
    fn a_model_is_told_by_its_name_whatever_its_parameters_are() {
        let model = |name: Value| json!({"type": "object", "properties": {"name": name, "parameters": {}}});
        let branches = [
            model(json!({"const": "fast", "default": "fast"})),
            model(json!({"enum": ["careful"], "default": "careful"})),
        ];
        for schema in [
            json!({"oneOf": branches}),
            json!({"oneOf": branches, "discriminator": {"propertyName": "name", "mapping": {}}}),
        ] {
            assert_eq!(chosen(&schema, &json!({"name": "fast", "parameters": {"seed": 1}})), Pick::Branch(0));
            assert_eq!(chosen(&schema, &json!({"parameters": null, "name": "careful"})), Pick::Branch(1));
            // Each branch would name itself, so that a missing name tells nothing.
            assert_eq!(chosen(&schema, &json!({"parameters": {"seed": 1}})), Pick::Untold);
            assert_eq!(chosen(&schema, &json!({"name": "slow"})), Pick::Untold);
        }
    }

    #[test]
    fn the_only_branch_of_a_json_type_needs_no_mark() {
        let schema = json!({"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "integer"}, {"type": "null"}]});
        assert_eq!(chosen(&schema, &json!("x")), Pick::Branch(0));
        assert_eq!(chosen(&schema, &json!([1])), Pick::Branch(1));
        assert_eq!(chosen(&schema, &json!(5.0)), Pick::Branch(2));
        assert_eq!(chosen(&schema, &json!(5.5)), Pick::Untold);
        let two = json!({"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]});
        assert_eq!(chosen(&two, &json!({"a": 1})), Pick::Untold);
    }

    #[test]
    fn a_union_inside_a_union_is_marked_by_all_its_own_marks() {
        let schema = json!({
            "oneOf": [{"$ref": "#/$defs/Pets"}, {"properties": {"kind": {"const": "car"}}, "type": "object"}],
            "$defs": {"Pets": {"oneOf": [
                {"properties": {"kind": {"const": "cat"}}, "type": "object"},
                {"properties": {"kind": {"const": "dog"}}, "type": "object"}
            ], "discriminator": {"propertyName": "kind"}}}
        });
        assert_eq!(chosen(&schema, &json!({"kind": "car"})), Pick::Branch(1));
        assert_eq!(chosen(&schema, &json!({"kind": "dog"})), Pick::Branch(0));
    }
}
