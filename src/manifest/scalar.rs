//! What a plain scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1 (`no`, `1_000` and dates are text).

use serde_json::Number;

use super::tree::Kind;

/// The largest integer up to which every one has its own number in JSON as most programs read it.
const EXACT_INTEGERS: u64 = 1 << 53;

/// Why a plain scalar that looks like a number is not taken as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `.nan` or `.inf`, which JSON does not have.
    NotFinite,
    /// An integer beyond ±2^53.
    IntegerTooLarge,
    /// A number beyond what a double can hold.
    NumberTooLarge,
}

/// Types a plain scalar without a tag.
pub fn plain(text: &str) -> Result<Kind, Refusal> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => match number(text)? {
            Some(number) => Kind::Number(number),
            None => Kind::Text(text.to_owned()),
        },
    })
}

/// Whether a text is a number that does not print as it was written: `+1555`, `007`, and `3.10`, which may be a version.
pub fn loses_spelling(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some((whole, fraction)) = digits.split_once('.') {
        let is_plain = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        return is_plain && fraction.len() > 1 && fraction.ends_with('0');
    }
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_integer && (text.starts_with('+') || (digits.len() > 1 && digits.starts_with('0')))
}

/// Reads a number; `None` when the text is none.
fn number(text: &str) -> Result<Option<Number>, Refusal> {
    // Nearly every scalar ends here, so the first byte is asked before anything else.
    if !text.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')) {
        return Ok(None);
    }
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Refusal::NotFinite);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return integer(false, digits, radix).map(Some);
        }
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(negative, digits, 10).map(Some);
    }
    if !is_float(digits) {
        return Ok(None);
    }
    let Ok(float) = text.parse::<f64>() else { return Ok(None) };
    Number::from_f64(float).map(Some).ok_or(Refusal::NumberTooLarge)
}

fn integer(negative: bool, digits: &str, radix: u32) -> Result<Number, Refusal> {
    let magnitude = u64::from_str_radix(digits, radix).map_err(|_| Refusal::IntegerTooLarge)?;
    if magnitude > EXACT_INTEGERS {
        return Err(Refusal::IntegerTooLarge);
    }
    let value = i64::try_from(magnitude).map_err(|_| Refusal::IntegerTooLarge)?;
    Ok(Number::from(if negative { -value } else { value }))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, the sign taken off before.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let good_mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let good_exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    good_mantissa && good_exponent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        match plain(text) {
            Ok(Kind::Null) => "null".to_owned(),
            Ok(Kind::Bool(value)) => value.to_string(),
            Ok(Kind::Number(number)) => number.to_string(),
            Ok(Kind::Text(text)) => format!("{text:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_what_the_core_schema_names_is_no_text() {
        for (text, want) in [
            ("~", "null"),
            ("", "null"),
            ("no", "\"no\""),
            ("TRUE", "true"),
            ("12", "12"),
            ("-0", "0"),
            ("+12", "12"),
            ("007", "7"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0x", "\"0x\""),
            ("1.0", "1.0"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-1.5e3", "-1500.0"),
            ("1_000", "\"1_000\""),
            ("12:30:45", "\"12:30:45\""),
            ("2026-12-31", "\"2026-12-31\""),
            (".", "\".\""),
            ("-", "\"-\""),
            ("e3", "\"e3\""),
            ("1e", "\"1e\""),
            ("+15551234567", "15551234567"),
        ] {
            assert_eq!(json(text), want, "{text}");
        }
    }

    #[test]
    fn a_number_that_would_lose_digits_is_refused() {
        assert_eq!(plain("9007199254740992").map(|_| ()), Ok(()));
        for text in ["9007199254740993", "-9007199254740993", "123456789012345678901234567890", "0xFFFFFFFFFFFFFFFF"] {
            assert_eq!(plain(text), Err(Refusal::IntegerTooLarge), "{text}");
        }
        assert_eq!(plain("1e400"), Err(Refusal::NumberTooLarge));
        for text in [".nan", "-.inf", "+.INF"] {
            assert_eq!(plain(text), Err(Refusal::NotFinite), "{text}");
        }
    }

    #[test]
    fn an_integer_with_a_plus_or_a_leading_zero_loses_its_spelling() {
        assert!(loses_spelling("+15551234567") && loses_spelling("007"));
        assert!(!loses_spelling("0") && !loses_spelling("-1") && !loses_spelling("+1.5") && !loses_spelling("+"));
    }
}
