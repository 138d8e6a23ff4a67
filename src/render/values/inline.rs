//! Single values, numbers and counts on one line.

use serde_json::{Number, Value};

use crate::plan::mask::is_placeholder;
use crate::render::visible;

/// Longer values are shortened to this many characters where they stand on one line.
const INLINE_LENGTH: usize = 60;

/// By how much a number moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The difference with its sign, `+2` or `-0.3`.
    pub by: String,
    /// The difference in percent with its sign, where the base is 10 or more.
    pub percent: Option<String>,
}

/// Percentages of small numbers mislead: from 1 to 2 is +100 %.
const PERCENT_BASE: f64 = 10.0;

impl Delta {
    /// The difference of two numbers; `None` where they are the same or too large to subtract exactly.
    pub fn of(before: &Number, after: &Number) -> Option<Self> {
        let by = if let (Some(a), Some(b)) = (before.as_i64(), after.as_i64()) {
            format!("{:+}", b.checked_sub(a)?)
        } else {
            // As many decimals as the longer of both has, so that 0.7 to 0.4 is -0.3 and not -0.29999999999999993.
            let decimals = decimals(before)?.max(decimals(after)?);
            format!("{:+.decimals$}", after.as_f64()? - before.as_f64()?)
        };
        let (a, b) = (before.as_f64()?, after.as_f64()?);
        let percent = (a.abs() >= PERCENT_BASE).then(|| format!("{:+.0}%", (b - a) / a.abs() * 100.0));
        Some(Self { by, percent: percent.filter(|text| text != "+0%" && text != "-0%") })
    }
}

/// Digits behind the point; `None` for a number in scientific notation.
fn decimals(number: &Number) -> Option<usize> {
    let text = number.to_string();
    (!text.contains(['e', 'E'])).then(|| text.split_once('.').map_or(0, |(_, digits)| digits.len()))
}

/// A value on one line, shortened where it is long.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(list) if !list.is_empty() => compact(value, || plural(list.len(), "item", "items"), '[', ']'),
        Value::Object(map) if !map.is_empty() => compact(value, || plural(map.len(), "key", "keys"), '{', '}'),
        other => other.to_string(),
    }
}

fn compact(value: &Value, count: impl Fn() -> String, open: char, close: char) -> String {
    let text = visible::one_line(&value.to_string().replace("\\n", "⏎"));
    if text.chars().count() <= INLINE_LENGTH { text } else { format!("{open}{}{close}", count()) }
}

/// A text in quotes that end where it ends.
pub fn in_quotes(text: &str) -> String {
    if !text.contains('"') && !text.ends_with('\\') {
        return format!("\"{text}\"");
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text in quotes, on one line, shortened where it is long.
pub fn quoted(text: &str) -> String {
    // The placeholder of a secret inside a list or an object.
    if is_placeholder(text) {
        return text.to_owned();
    }
    let count = text.chars().count();
    if count <= INLINE_LENGTH {
        return in_quotes(&visible::one_line(text));
    }
    let start: String = text.chars().take(INLINE_LENGTH - 20).collect();
    format!("\"{}…\" ({} characters)", visible::one_line(start.trim_end()), grouped(count))
}

/// A count with commas between thousands.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn delta(before: Value, after: Value) -> String {
        let (Value::Number(before), Value::Number(after)) = (before, after) else { panic!("no numbers") };
        Delta::of(&before, &after).map_or("none".to_owned(), |delta| format!("{} {:?}", delta.by, delta.percent))
    }

    #[test]
    fn a_delta_is_as_exact_as_its_numbers() {
        assert_eq!(delta(json!(0.7), json!(0.4)), "-0.3 None");
        assert_eq!(delta(json!(3), json!(5)), "+2 None");
        assert_eq!(delta(json!(1000), json!(700)), "-300 Some(\"-30%\")");
        assert_eq!(delta(json!(-20), json!(-10)), "+10 Some(\"+50%\")");
        assert_eq!(delta(json!(1), json!(1.25)), "+0.25 None");
        assert_eq!(delta(json!(1e300), json!(1)), "none");
        assert_eq!(delta(json!(i64::MIN), json!(i64::MAX)), "none");
    }

    #[test]
    fn long_values_are_shortened_by_what_they_are() {
        assert_eq!(inline(&json!(["a", 1])), "[\"a\",1]");
        assert_eq!(inline(&json!({})), "{}");
        assert_eq!(inline(&json!(vec!["abcdefgh"; 30])), "[30 items]");
        assert_eq!(inline(&json!("x".repeat(1234))), format!("\"{}…\" (1,234 characters)", "x".repeat(40)));
        assert_eq!(in_quotes("a\" → \"b\\"), r#""a\" → \"b\\""#);
        assert_eq!(in_quotes(r"a\b"), r#""a\b""#);
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
