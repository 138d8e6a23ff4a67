//! Whether the numbers of a JSON text survive being read: `serde_json` holds integers to 64 bits and doubles beyond.

use serde_json::Number;

/// The first number of a JSON text that would not print as the value it was read from, with its place in bytes.
///
/// `1.10` prints as `1.1` and is the same value; thirty digits print as a double and are not. A config with such a
/// number cannot be built upon (design, section 2).
pub fn inexact_number(json: &[u8]) -> Option<(usize, String)> {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at = string_end(json, at),
            b'-' | b'0'..=b'9' => {
                let length = json
                    .get(at..)?
                    .iter()
                    .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .unwrap_or(json.len() - at);
                let text = std::str::from_utf8(json.get(at..at + length)?).ok()?;
                let printed = serde_json::from_str::<Number>(text).ok()?.to_string();
                if printed != text && decimal(&printed) != decimal(text) {
                    return Some((at, text.to_owned()));
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    json.len()
}

/// A decimal text as sign, digits without outer zeros, and the power of ten of the last of them.
fn decimal(text: &str) -> (bool, String, i64) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let trimmed = digits.trim_end_matches('0');
    let dropped = digits.len() - trimmed.len();
    let significant = trimmed.trim_start_matches('0');
    if significant.is_empty() {
        return (negative, String::new(), 0);
    }
    let shift = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let power = exponent.parse::<i64>().unwrap_or(0) - shift(fraction.len()) + shift(dropped);
    (negative, significant.to_owned(), power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_way_to_write_the_same_number_is_no_loss() {
        let json = br#"{"a": [1, -0, 1.10, 1e5, 2.5E-3, 0.1, 1.0, 18446744073709551615, -9223372036854775808, 1e300],
            "123456789012345678901234567890": "\"123456789012345678901234567890"}"#;
        assert_eq!(inexact_number(json), None);
    }

    #[test]
    fn a_number_that_a_double_cannot_hold_is_found() {
        for text in ["18446744073709551617", "0.1000000000000000055", "123456789012345678901234567890"] {
            let json = format!(r#"{{"a": {text}}}"#);
            assert_eq!(inexact_number(json.as_bytes()), Some((6, text.to_owned())));
        }
    }
}
