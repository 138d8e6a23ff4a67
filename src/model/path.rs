//! JSON pointers from the manifest's root (RFC 6901), the one way in which a place is named anywhere.

use std::fmt;

use serde_json::Value;

use super::as_text::as_text;

/// A JSON pointer, unescaped, one element a step. `/config/agent/tools/0/name` has five.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The path of the whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of the agent's `config`.
    pub fn config() -> Self {
        Self(vec!["config".to_owned()])
    }

    /// Builds a path from its steps.
    pub fn of<S: Into<String>>(steps: impl IntoIterator<Item = S>) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }

    /// Reads a pointer: empty, or starting with `/`. `None` for anything else, or a `~` that is neither `~0` nor `~1`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let rest = text.strip_prefix('/')?;
        rest.split('/').map(unescape).collect::<Option<Vec<_>>>().map(Self)
    }

    /// This path with one more step.
    #[must_use]
    pub fn child(&self, step: impl Into<String>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    /// This path with a list's index behind it.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(index.to_string())
    }

    /// The path one step shorter; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, init) = self.0.split_last()?;
        Some(Self(init.to_vec()))
    }

    /// The last step; `None` at the root.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The steps.
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// Whether this is `other` or lies below it.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether this is the agent's config or lies in it.
    pub fn in_config(&self) -> bool {
        self.0.first().is_some_and(|step| step == "config")
    }

    /// The path without its first step, as the schema of the config counts; `None` outside the config.
    pub fn within_config(&self) -> Option<Self> {
        self.in_config().then(|| Self(self.0.get(1..).unwrap_or_default().to_vec()))
    }

    /// `other` behind this path.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut steps = self.0.clone();
        steps.extend(other.0.iter().cloned());
        Self(steps)
    }

    /// The value at this path.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |at, step| match at {
            Value::Object(map) => map.get(step),
            Value::Array(list) => step.parse::<usize>().ok().and_then(|index| list.get(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// Puts `new` at this path, making objects on the way where nothing, or something that is no object, stands.
    pub fn set(&self, value: &mut Value, new: Value) {
        let mut at = value;
        for step in &self.0 {
            let index = step.parse::<usize>().ok();
            let in_list = matches!((&*at, index), (Value::Array(list), Some(index)) if index < list.len());
            if !in_list && !at.is_object() {
                *at = Value::Object(serde_json::Map::new());
            }
            at = match (at, index) {
                (Value::Array(list), Some(index)) => &mut list[index],
                (Value::Object(map), _) => map.entry(step.clone()).or_insert(Value::Null),
                _ => return,
            };
        }
        *at = new;
    }

    /// Takes the value at this path out, keeping the order of its siblings.
    pub fn remove(&self, value: &mut Value) -> Option<Value> {
        let (last, init) = self.0.split_last()?;
        let mut at = value;
        for step in init {
            at = match at {
                Value::Object(map) => map.get_mut(step)?,
                Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
        }
        match at {
            Value::Object(map) => map.shift_remove(last),
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }
}

as_text!(FieldPath, "a path", "^(/([^~/]|~[01])*)*$", FieldPath::parse);

fn unescape(step: &str) -> Option<String> {
    let mut out = String::with_capacity(step.len());
    let mut chars = step.chars();
    while let Some(c) = chars.next() {
        if c != '~' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            '0' => '~',
            '1' => '/',
            _ => return None,
        });
    }
    Some(out)
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            write!(f, "/{}", step.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// A pointer in which `*` stands for any one step, as `ignore` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(FieldPath);

impl PathPattern {
    /// Reads a pattern; `None` when it is no pointer.
    pub fn parse(text: &str) -> Option<Self> {
        FieldPath::parse(text).map(Self)
    }

    /// Whether `path` is what the pattern names, or lies below it.
    pub fn covers(&self, path: &FieldPath) -> bool {
        let (pattern, steps) = (self.0.steps(), path.steps());
        pattern.len() <= steps.len() && pattern.iter().zip(steps).all(|(want, have)| want == "*" || want == have)
    }

    /// Whether `path` is an object on the way to what the pattern names.
    pub fn reaches_through(&self, path: &FieldPath) -> bool {
        let (pattern, steps) = (self.0.steps(), path.steps());
        steps.len() < pattern.len() && pattern.iter().zip(steps).all(|(want, have)| want == "*" || want == have)
    }

    /// The steps, `*` among them.
    pub fn as_path(&self) -> &FieldPath {
        &self.0
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_survives_reading_and_writing() {
        for text in ["", "/", "/a/b", "/a~1b/c~0d", "/0/", "/ /x"] {
            assert_eq!(FieldPath::parse(text).unwrap().to_string(), text);
        }
        for text in ["a", "/~", "/~2"] {
            assert_eq!(FieldPath::parse(text), None, "{text}");
        }
    }

    #[test]
    fn set_and_remove_keep_the_order_of_siblings() {
        let mut value = json!({"a": 1, "b": {"c": [1, {"d": 2}]}, "e": 3});
        FieldPath::parse("/b/c/1/d").unwrap().set(&mut value, json!(5));
        assert_eq!(FieldPath::parse("/a").unwrap().remove(&mut value), Some(json!(1)));
        assert_eq!(value.to_string(), r#"{"b":{"c":[1,{"d":5}]},"e":3}"#);
    }

    #[test]
    fn a_star_stands_for_one_step() {
        let pattern = PathPattern::parse("/config/*/tts").unwrap();
        assert!(pattern.covers(&FieldPath::parse("/config/stack/tts/models").unwrap()));
        assert!(!pattern.covers(&FieldPath::parse("/config/a/b/tts").unwrap()));
        assert!(pattern.reaches_through(&FieldPath::parse("/config/stack").unwrap()));
    }
}
