//! The expressions of workflow files, as far as the recipes use them. What is unknown panics, so that nothing passes
//! unseen: a runner would give an empty text for a misspelt name.

use serde_json::{Value, json};

/// What names stand for, and how the steps before ended.
pub(super) struct Scope<'s> {
    pub(super) names: &'s Value,
    pub(super) failed: bool,
    /// Whether a job that is needed was skipped.
    pub(super) skipped: bool,
}

/// A text with what stands between `${{` and `}}` put in.
pub(super) fn text(template: &str, scope: &Scope<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        out.push_str(before);
        out.push_str(&shown(&value(expression, scope)));
        rest = after;
    }
    out + rest
}

/// Whether a condition holds. Without a function that asks for the status, it holds only after success.
pub(super) fn holds(condition: Option<&str>, scope: &Scope<'_>) -> bool {
    let condition = condition.map_or("success()", str::trim);
    let inner = condition.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(condition);
    let asks = ["success()", "failure()", "cancelled()", "always()"].iter().any(|name| inner.contains(name));
    (asks || !scope.failed && !scope.skipped) && is_true(&value(inner, scope))
}

fn value(expression: &str, scope: &Scope<'_>) -> Value {
    let mut parser = Parser { rest: expression.trim(), scope };
    let value = parser.any();
    assert!(parser.rest.is_empty(), "`{}` of `{expression}` is not understood", parser.rest);
    value
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != json!("") && *value != json!(0)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => panic!("{value} is no text"),
    }
}

struct Parser<'p> {
    rest: &'p str,
    scope: &'p Scope<'p>,
}

impl Parser<'_> {
    fn takes(&mut self, token: &str) -> bool {
        let found = self.rest.strip_prefix(token);
        if let Some(rest) = found {
            self.rest = rest.trim_start();
        }
        found.is_some()
    }

    fn any(&mut self) -> Value {
        let mut left = self.all();
        while self.takes("||") {
            let right = self.all();
            left = if is_true(&left) { left } else { right };
        }
        left
    }

    fn all(&mut self) -> Value {
        let mut left = self.comparison();
        while self.takes("&&") {
            let right = self.comparison();
            left = if is_true(&left) { right } else { left };
        }
        left
    }

    fn comparison(&mut self) -> Value {
        let left = self.single();
        if self.takes("==") {
            return json!(shown(&left).eq_ignore_ascii_case(&shown(&self.single())));
        }
        if self.takes("!=") {
            return json!(!shown(&left).eq_ignore_ascii_case(&shown(&self.single())));
        }
        left
    }

    fn single(&mut self) -> Value {
        if self.takes("!") {
            return json!(!is_true(&self.single()));
        }
        if self.takes("(") {
            let value = self.any();
            assert!(self.takes(")"), "`)` is missing before `{}`", self.rest);
            return value;
        }
        if self.takes("'") {
            let (text, rest) = self.rest.split_once('\'').unwrap();
            self.rest = rest.trim_start();
            return json!(text);
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        if self.takes("()") {
            return match name {
                "success" => json!(!self.scope.failed && !self.scope.skipped),
                "failure" => json!(self.scope.failed),
                "cancelled" => json!(false),
                "always" => json!(true),
                other => panic!("the function `{other}` is not known"),
            };
        }
        match name {
            "true" => json!(true),
            "false" => json!(false),
            _ => self.named(name),
        }
    }

    /// What a name stands for. Below the event and the inputs anything may be missing, as on a runner.
    fn named(&self, name: &str) -> Value {
        let mut found = self.scope.names;
        for part in name.split('.') {
            match found.get(part) {
                Some(value) => found = value,
                None if name.starts_with("github.event.") || name.starts_with("inputs.") => return Value::Null,
                // A secret that a run does not get is empty.
                None if name.starts_with("secrets.") => return json!(""),
                None => panic!("`{name}` is not known"),
            }
        }
        found.clone()
    }
}

#[test]
fn conditions_are_read_as_a_runner_reads_them() {
    let names = json!({"github": {"ref": "refs/heads/main", "event": {"n": 7}}, "inputs": {}, "secrets": {}});
    let holds = |condition: &str, failed| holds(Some(condition), &Scope { names: &names, failed, skipped: false });
    assert!(holds("${{ github.ref == 'refs/heads/main' && (github.event.n == '7' || inputs.x == 'y') }}", false));
    assert!(!holds("${{ github.ref == 'refs/heads/main' }}", true), "a step before has failed");
    assert!(holds("${{ !cancelled() }}", true) && !holds("${{ !failure() && !cancelled() }}", true));
    assert!(!holds("${{ inputs.x }}", false) && holds("${{ github.event.a.b != 'c' }}", false));
    let scope = Scope { names: &names, failed: false, skipped: false };
    assert_eq!(
        text("plan-${{ github.event.number || github.ref }}-${{ secrets.NONE }}.", &scope),
        "plan-refs/heads/main-."
    );
}
