//! The names most like one that is missing.

/// How many names are offered.
const OFFERED: usize = 3;

/// How many cells of tables of distances are filled for one name: an archive may have 65,600 members.
const MOST_CELLS: usize = 8 << 20;

/// Longer names are compared by their first characters.
const MOST_CHARS: usize = 128;

/// So few names are all shown where none is near.
const FEW: usize = 5;

/// The names nearest to a missing one, as the end of a sentence: empty where none is near among many.
pub(crate) fn nearest<'n>(missing: &str, names: impl Iterator<Item = &'n str>) -> String {
    let wanted = chars(missing);
    let allowed = wanted.len() / 3 + 1;
    let mut cells = 0;
    let mut found: Vec<(usize, &str)> = Vec::new();
    let mut first: Vec<&str> = Vec::new();
    for name in names {
        if first.len() <= FEW {
            first.push(name);
        }
        let other = chars(name);
        let distance = if is_end(missing, name) || is_end(name, missing) {
            1
        } else if other.len().abs_diff(wanted.len()) > allowed {
            continue;
        } else {
            cells += wanted.len() * other.len();
            if cells > MOST_CELLS {
                break;
            }
            distance(&wanted, &other)
        };
        // One where every character is another is not near.
        if distance <= allowed
            && distance < wanted.len().max(other.len())
            && !found.iter().any(|(_, seen)| *seen == name)
        {
            let at = found.partition_point(|(before, _)| *before <= distance);
            found.insert(at, (distance, name));
            found.truncate(OFFERED);
        }
    }
    let quoted = |names: &mut dyn Iterator<Item = &str>| {
        let quoted: Vec<String> = names.map(|name| format!("`{}`", name.escape_debug())).collect();
        quoted.join(", ")
    };
    match (found.len(), first.len()) {
        (0, 0 | FEW..) => String::new(),
        (0, _) => format!(", there: {}", quoted(&mut first.into_iter())),
        _ => format!(", nearest: {}", quoted(&mut found.into_iter().map(|(_, name)| name))),
    }
}

/// The characters that are compared: case is a small difference, and counted as none.
fn chars(name: &str) -> Vec<char> {
    name.chars().take(MOST_CHARS).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a name ends in another one behind a separator: `model/weight` in `weight`.
fn is_end(end: &str, name: &str) -> bool {
    !end.is_empty()
        && name
            .strip_suffix(end)
            .is_some_and(|rest| rest.ends_with(['/', '.', ':', '_']))
}

/// How many characters have to be put in, taken out, exchanged, or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first() {
        let names = ["bias", "wieght", "weights", "w", "model/weight", "x"];
        let near = |name| nearest(name, names.into_iter());
        assert_eq!(near("weight"), ", nearest: `wieght`, `weights`, `model/weight`");
        assert_eq!(near("Bias"), ", nearest: `bias`");
        assert_eq!(near("y"), "");
        assert_eq!(near("xs"), ", nearest: `x`");
        assert_eq!(near("gradient"), "");
        assert_eq!(nearest("y", ["a", "b"].into_iter()), ", there: `a`, `b`");
        assert_eq!(nearest("y", [].into_iter()), "");
        assert_eq!(nearest("a\x1b", ["a\x1b["].into_iter()), ", nearest: `a\\u{1b}[`");
    }

    #[test]
    fn distances() {
        let between = |a: &str, b: &str| distance(&chars(a), &chars(b));
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("abc", ""), 3);
        assert_eq!(between("kitten", "sitting"), 3);
        assert_eq!(between("ab", "ba"), 1);
        assert_eq!(between("same", "SAME"), 0);
    }

    #[test]
    fn long_and_many_names_are_bounded_work() {
        let long = "x".repeat(1 << 20);
        let names = vec![&long[..]; 65_600];
        assert!(nearest(&long[1..], names.into_iter()).len() < 8 << 20);
    }
}
