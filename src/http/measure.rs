//! How many values a JSON text holds, before memory is spent on them.
//!
//! A value takes some hundred bytes of memory and as few as two of text, so a bound of bytes alone is none.

/// Most values of one answer. A thousand agents with long metadata have a tenth of them.
pub(super) const MOST_VALUES: usize = 1_000_000;

/// The number of values in a JSON text, the names of members among them; a guess for what is not JSON.
pub(super) fn count_values(json: &[u8]) -> usize {
    let mut count = 1;
    let mut in_text = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => drop(bytes.next()),
            b',' | b':' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_holds_more_values_than_are_counted() {
        for (json, count) in
            [("", 1), ("1", 1), ("[1,2]", 3), (r#"{"a":[{},[]],"b":"x,y:[{\\\",{"}"#, 9), (r#""a,b\"c,d""#, 1)]
        {
            assert_eq!(count_values(json.as_bytes()), count, "{json}");
        }
    }
}
