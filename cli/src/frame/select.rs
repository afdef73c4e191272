//! Which members are meant: an exact name first, then the group of that name, then a glob.

pub mod glob;

use clap::Args;

use crate::frame::fault::{Fault, Result};
use crate::frame::text::escape;

/// `-m`, of every verb that takes several files.
#[derive(Args, Clone)]
pub struct MemberArgs {
    /// Only members of this name or glob: * stops at /, ** does not
    #[arg(short, long = "member", value_name = "NAME|GLOB")]
    pub members: Vec<String>,
}

/// The places of the names that are meant, in the order of the names; all without a pattern.
pub fn select(patterns: &[String], names: &[&str], separator: Option<char>) -> Result<Vec<usize>> {
    let mut chosen = vec![patterns.is_empty(); names.len()];
    for pattern in patterns {
        let mut found = false;
        let mut choose = |is_meant: &dyn Fn(&str) -> bool| {
            if !found {
                for (chosen, name) in chosen.iter_mut().zip(names) {
                    let meant = is_meant(name);
                    *chosen |= meant;
                    found |= meant;
                }
            }
        };
        choose(&|name| name == pattern);
        choose(&|name| pattern.strip_suffix(".npy") == Some(name));
        choose(&|name| {
            separator.is_some_and(|c| name.strip_prefix(&**pattern).is_some_and(|rest| rest.starts_with(c)))
        });
        if glob::is_glob(pattern) {
            choose(&|name| glob::matches(pattern, name, separator));
        }
        if !found {
            return Err(missing(pattern, names));
        }
    }
    Ok((0..names.len()).filter(|&i| chosen[i]).collect())
}

fn missing(pattern: &str, names: &[&str]) -> Fault {
    let fault = Fault::new("found no such member").at(pattern);
    let alike = |name: &&&str| name.to_lowercase().contains(&pattern.to_lowercase()) || ends_with(name, pattern);
    match names.iter().find(alike) {
        Some(name) => fault.hint(format_args!("there is {}", escape(name))),
        None if names.len() == 1 && names[0].is_empty() => fault.hint("a .npy has one array without a name"),
        None if glob::is_glob(pattern) => fault.hint("* stops at /, ** does not"),
        None => fault,
    }
}

/// Whether the last part of the name is the pattern.
fn ends_with(name: &str, pattern: &str) -> bool {
    name.rsplit('/').next() == Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(patterns: &[&str]) -> Result<Vec<usize>, String> {
        let names = ["a", "mask?", "maskx", "layers/0/w", "layers/1/w"];
        let patterns: Vec<String> = patterns.iter().map(|&p| p.to_owned()).collect();
        select(&patterns, &names, Some('/')).map_err(|fault| fault.to_string())
    }

    #[test]
    fn an_exact_name_comes_first() {
        assert_eq!(chosen(&[]), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(chosen(&["mask?"]), Ok(vec![1]));
        assert_eq!(chosen(&["mas?x"]), Ok(vec![2]));
        assert_eq!(chosen(&["layers/*/w", "a.npy"]), Ok(vec![0, 3, 4]));
        assert_eq!(chosen(&["layers"]), Ok(vec![3, 4]));
        assert_eq!(chosen(&["*"]), Ok(vec![0, 1, 2]));
        assert_eq!(chosen(&["w"]), Err("w: found no such member".into()));
    }
}
