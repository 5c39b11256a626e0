//! Names and their case.
//!
//! Names keep their case. A name means the thing that has exactly that name; if there is
//! none, the one thing that differs only in case; two such things are no match.

/// The candidate that `name` means: the exact one, else the only one that differs in case alone.
pub fn resolve<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let mut near: Option<&str> = None;
    let mut ambiguous = false;
    for candidate in candidates {
        if candidate == name {
            return Some(candidate);
        }
        if candidate.to_lowercase() == wanted {
            ambiguous |= near.is_some_and(|earlier| earlier != candidate);
            near = Some(candidate);
        }
    }
    if ambiguous { None } else { near }
}
