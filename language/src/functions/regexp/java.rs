//! Patterns of java.util.regex as those of the regex crate.
//!
//! Most is the same in both. Different are the classes `\d`, `\w` and `\s`, which have ASCII
//! characters only in Java, `\h`, and quotations between `\Q` and `\E`.

/// The pattern as the regex crate reads it.
pub(super) fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('Q') => {
                let remaining = rest.as_str();
                let (quoted, behind) = remaining.split_once("\\E").unwrap_or((remaining, ""));
                out.push_str(&regex::escape(quoted));
                rest = behind.chars();
            }
            Some(class) => match ascii_class(class) {
                Some(class) => out.push_str(class),
                None => out.extend(['\\', class]),
            },
            None => out.push('\\'),
        }
    }
    out
}

fn ascii_class(class: char) -> Option<&'static str> {
    Some(match class {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[ \\t\\n\\x0B\\f\\r]",
        'S' => "[^ \\t\\n\\x0B\\f\\r]",
        'h' => "[ \\t\\xA0\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}]",
        'Z' => "\\z",
        _ => return None,
    })
}
