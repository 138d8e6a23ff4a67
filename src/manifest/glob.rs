//! Patterns of paths: `*` within a component, `?` for one character, `**` for any number of components.

/// Whether a pattern has anything but itself to match.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The folder that every match lies in: the components before the first with a wildcard.
pub fn fixed_folder(pattern: &str) -> String {
    let parts: Vec<&str> = pattern.split('/').take_while(|part| !is_pattern(part)).collect();
    parts.join("/")
}

/// Whether `path` is matched.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.split('/').collect();
    // Row by row: after each part of the pattern, which lengths of the path it has matched. No pattern can make this slow.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        for at in 0..=path.len() {
            if !reached[at] {
                continue;
            }
            if part == "**" {
                next.iter_mut().skip(at).for_each(|slot| *slot = true);
            } else if path.get(at).is_some_and(|name| component(part, name)) {
                next[at + 1] = true;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

fn component(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            if !reached[at] {
                continue;
            }
            match wanted {
                '*' => next.iter_mut().skip(at).for_each(|slot| *slot = true),
                '?' if at < name.len() => next[at + 1] = true,
                _ if name.get(at) == Some(&wanted) => next[at + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_component_and_two_do_not() {
        for (pattern, path, want) in [
            ("agents/*.yaml", "agents/a.yaml", true),
            ("agents/*.yaml", "agents/x/a.yaml", false),
            ("agents/**/*.yaml", "agents/x/y/a.yaml", true),
            ("agents/**/*.yaml", "agents/a.yaml", true),
            ("teams/*/agents", "teams/cx/agents", true),
            ("teams/*/agents/**", "teams/cx/agents/a.yaml", true),
            ("a?.yaml", "ab.yaml", true),
            ("a?.yaml", "a.yaml", false),
            ("**", "x/y", true),
        ] {
            assert_eq!(matches(pattern, path), want, "{pattern} {path}");
        }
        assert_eq!(fixed_folder("teams/*/agents"), "teams");
        assert_eq!(fixed_folder("*.yaml"), "");
    }

    #[test]
    fn no_pattern_is_slow() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(&"**/a/".repeat(200), &"a/".repeat(150)));
    }
}
