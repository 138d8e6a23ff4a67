//! A schema as a table of places: every reference resolved, every branch of a union described, so that questions are
//! answered by looking up and never by reading JSON again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::validator::Matcher;

/// A place in the schema that holds a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub(super) usize);

/// The JSON types that a place may hold, as bits. An integer is a number, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ANY: Self = Self(0b111_1111);

    const WORDS: [(&'static str, u8); 7] =
        [("null", 1), ("boolean", 2), ("integer", 4), ("number", 4 | 8), ("string", 16), ("array", 32), ("object", 64)];

    /// The types behind one word of the keyword `type`; `None` for a word that is none.
    pub fn word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, bits)| Self(*bits))
    }

    /// The type of a value.
    pub fn of(value: &Value) -> Self {
        Self(match value {
            Value::Null => 1,
            Value::Bool(_) => 2,
            // JSON Schema counts `5.0` among the integers.
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => 4,
            Value::Number(_) => 8,
            Value::String(_) => 16,
            Value::Array(_) => 32,
            Value::Object(_) => 64,
        })
    }

    /// Both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a value's type is among these.
    pub fn allow(self, value: &Value) -> bool {
        self.0 & Self::of(value).0 != 0
    }

    /// Whether null is among these.
    pub fn allow_null(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether text is among these.
    pub fn allow_text(self) -> bool {
        self.0 & 16 != 0
    }

    /// Whether anything but null is among these.
    pub fn allow_more_than_null(self) -> bool {
        self.0 & !1 != 0
    }

    /// The words, as `a string`, `null`, for messages.
    pub fn words(self) -> Vec<&'static str> {
        let mut words = Vec::new();
        let mut add = |bits: u8, word| {
            if self.0 & bits == bits {
                words.push(word);
            }
        };
        add(16, "a string");
        if self.0 & 8 == 0 {
            add(4, "an integer");
        }
        add(8, "a number");
        add(2, "a boolean");
        add(32, "a list");
        add(64, "an object");
        add(1, "null");
        words
    }
}

/// What an object may hold beside the properties that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Additional {
    /// Nothing is said, or `true`: more is let through, but nobody asked for it.
    Unsaid,
    /// Nothing.
    Closed,
    /// Anything that this schema accepts; a map.
    Map(NodeId),
}

/// A property whose value tells one branch of a union from the others.
#[derive(Clone, Debug)]
pub struct Tag {
    /// The property.
    pub property: String,
    /// The values that it has in this branch.
    pub values: Vec<Value>,
    /// What it counts as where it is absent.
    pub default: Option<Value>,
}

impl Tag {
    /// Whether exactly one value is possible, as with `const`.
    pub fn is_constant(&self) -> bool {
        self.values.len() == 1
    }

    /// Whether a value is one of this branch.
    pub fn holds(&self, value: &Value) -> bool {
        self.values.iter().any(|own| crate::model::value::same(own, value))
    }
}

/// One branch of a union.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its schema.
    pub node: NodeId,
    /// What it may hold.
    pub types: Types,
    /// What tells it from others.
    pub tags: Vec<Tag>,
}

/// The property that the schema itself names as telling the branches apart.
#[derive(Clone, Debug)]
pub struct Discriminator {
    /// The property.
    pub property: String,
    /// The branch by the property's value.
    pub mapping: BTreeMap<String, usize>,
}

/// `oneOf` or `anyOf`.
#[derive(Clone, Debug)]
pub struct Union {
    /// The branches, in order.
    pub branches: Vec<Branch>,
    /// The discriminator, where there is one.
    pub discriminator: Option<Discriminator>,
}

impl Union {
    /// Whether there is a choice beside that of null.
    pub fn is_choice(&self) -> bool {
        self.branches.iter().filter(|branch| branch.types.allow_more_than_null()).count() > 1
    }

    /// The property that tells the branches apart, whether the schema names it or constants do.
    pub fn tag_property(&self) -> Option<&str> {
        if let Some(discriminator) = &self.discriminator {
            return Some(&discriminator.property);
        }
        let mut objects = self.branches.iter().filter(|branch| branch.types.allow_more_than_null());
        let first = objects.next()?;
        let rest: Vec<&Branch> = objects.collect();
        let constant = |branch: &Branch, property: &str| {
            branch.tags.iter().any(|own| own.property == property && own.is_constant())
        };
        first
            .tags
            .iter()
            .filter(|tag| tag.is_constant() && !rest.is_empty())
            .find(|tag| rest.iter().all(|branch| constant(branch, &tag.property)))
            .map(|tag| tag.property.as_str())
    }

    /// All values that the property may have, in the order of the branches.
    pub fn tag_values(&self, property: &str) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for tag in self.branches.iter().flat_map(|branch| &branch.tags).filter(|tag| tag.property == property) {
            for value in &tag.values {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
        }
        if let (true, Some(discriminator)) = (values.is_empty(), &self.discriminator) {
            values.extend(discriminator.mapping.keys().map(|key| Value::String(key.clone())));
        }
        values
    }
}

/// One schema.
#[derive(Debug)]
pub struct Node {
    /// Where it stands in the document, as a JSON pointer.
    pub pointer: String,
    /// Its title, or the name under which it is defined.
    pub name: Option<String>,
    /// `false`: nothing is valid.
    pub never: bool,
    /// `$ref`.
    pub reference: Option<NodeId>,
    /// `type`, `enum` and `const` of this place alone.
    pub own_types: Types,
    /// What it may hold, with everything that always applies to it.
    pub types: Types,
    /// The values of `const` or `enum`.
    pub values: Option<Vec<Value>>,
    /// `default`.
    pub default: Option<Value>,
    /// `writeOnly`, or `format: password`.
    pub secret: bool,
    /// `properties`, in the schema's order.
    pub properties: Vec<(String, NodeId)>,
    /// Where a property is in `properties`.
    pub property_index: BTreeMap<String, usize>,
    /// `patternProperties`.
    pub(super) patterns: Vec<(Matcher, NodeId)>,
    /// `additionalProperties`, or `unevaluatedProperties`.
    pub additional: Additional,
    /// Whether it is `unevaluatedProperties` that closes the object.
    pub closed_late: bool,
    /// `required`.
    pub required: BTreeSet<String>,
    /// `prefixItems`, or `items` as a list.
    pub prefix_items: Vec<NodeId>,
    /// `items`, or `additionalItems` behind a list.
    pub items: Option<NodeId>,
    /// `allOf`.
    pub all_of: Vec<NodeId>,
    /// `anyOf`.
    pub any_of: Option<Union>,
    /// `oneOf`.
    pub one_of: Option<Union>,
    /// `if`, `then`, `else`, `dependentSchemas`: what applies only to some values.
    pub sometimes: Vec<NodeId>,
    /// `not`.
    pub not: Option<NodeId>,
}

impl Node {
    /// The schema of a named property.
    pub fn property(&self, name: &str) -> Option<NodeId> {
        let index = *self.property_index.get(name)?;
        self.properties.get(index).map(|(_, node)| *node)
    }

    /// Whether nothing is said of an object here: no name that could be right or wrong.
    pub fn is_unsaid(&self) -> bool {
        self.properties.is_empty() && self.patterns.is_empty() && self.additional == Additional::Unsaid
    }

    /// The unions of this place.
    pub fn unions(&self) -> impl Iterator<Item = &Union> {
        self.any_of.iter().chain(self.one_of.iter())
    }

    /// Every place that applies to the same value: the steps that a loop must not be made of.
    pub fn same_value(&self) -> impl Iterator<Item = NodeId> {
        self.reference
            .into_iter()
            .chain(self.all_of.iter().copied())
            .chain(self.unions().flat_map(|union| union.branches.iter().map(|branch| branch.node)))
            .chain(self.sometimes.iter().copied())
            .chain(self.not)
    }
}
