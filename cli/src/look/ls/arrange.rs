//! Members as lines: one by one, as a tree, or those alike together.

use std::collections::HashMap;

use crate::frame::input::Member;
use crate::frame::text::escape;

/// Groups nested deeper are part of the name.
const DEPTH: usize = 64;

pub struct Line {
    pub name: String,
    /// `None` for a group; of several members the first.
    pub member: Option<usize>,
    pub bytes: u64,
    pub compressed: u64,
}

impl Line {
    fn new(name: String, i: usize, member: &Member) -> Self {
        Line {
            name,
            member: Some(i),
            bytes: member.size,
            compressed: member.compressed_size,
        }
    }
}

pub fn plain(members: &[Member]) -> Vec<Line> {
    let line = |(i, member): (usize, &Member)| Line::new(escape(&member.name).into_owned(), i, member);
    members.iter().enumerate().map(line).collect()
}

/// Those with the same name but for numbers, the same dtype and the same shape, in one line.
pub fn collapsed(members: &[Member], separator: Option<char>) -> Vec<Line> {
    let mut places = HashMap::new();
    let mut lines: Vec<(Line, u64)> = Vec::new();
    for (i, member) in members.iter().enumerate() {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let name = match separator {
            Some(separator) => {
                let parts = member
                    .name
                    .split(separator)
                    .map(|part| if number(part) { "#" } else { part });
                parts.collect::<Vec<_>>().join(&separator.to_string())
            }
            None => member.name.clone(),
        };
        let place = *places
            .entry((name, &member.header, member.fault.is_some()))
            .or_insert(lines.len());
        match lines.get_mut(place) {
            Some((line, count)) => {
                *count += 1;
                line.bytes += member.size;
                line.compressed += member.compressed_size;
            }
            None => lines.push((Line::new(String::new(), i, member), 1)),
        }
    }
    for ((name, ..), place) in places {
        let (line, count) = &mut lines[place];
        line.name = match count {
            1 => escape(&members[line.member.unwrap_or(0)].name).into_owned(),
            count => format!("{}  x{count}", escape(&name)),
        };
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

#[derive(Default)]
struct Group<'m> {
    /// In the order of their first members.
    parts: Vec<(&'m str, Vec<usize>, Group<'m>)>,
    places: HashMap<&'m str, usize>,
}

/// Groups as NumPy's keys spell them.
pub fn tree(members: &[Member], separator: Option<char>, ascii: bool) -> Vec<Line> {
    let mut root = Group::default();
    for (i, member) in members.iter().enumerate() {
        let mut group = &mut root;
        let mut rest = &*member.name;
        for _ in 0..DEPTH {
            let Some((part, behind)) = separator.and_then(|separator| rest.split_once(separator)) else {
                break;
            };
            group = &mut group.part(part).2;
            rest = behind;
        }
        group.part(rest).1.push(i);
    }
    let mut lines = Vec::new();
    root.lines("", members, ascii, &mut lines);
    lines
}

impl<'m> Group<'m> {
    fn part(&mut self, name: &'m str) -> &mut (&'m str, Vec<usize>, Group<'m>) {
        let place = *self.places.entry(name).or_insert(self.parts.len());
        if place == self.parts.len() {
            self.parts.push((name, Vec::new(), Group::default()));
        }
        &mut self.parts[place]
    }

    fn lines(&self, indent: &str, members: &[Member], ascii: bool, lines: &mut Vec<Line>) {
        for (n, (name, own, group)) in self.parts.iter().enumerate() {
            let last = n + 1 == self.parts.len();
            let (branch, below) = match (last, ascii) {
                (false, false) => ("├── ", "│   "),
                (true, false) => ("└── ", "    "),
                (false, true) => ("|-- ", "|   "),
                (true, true) => ("`-- ", "    "),
            };
            let name = format!("{indent}{branch}{}", escape(name));
            lines.extend(own.iter().map(|&i| Line::new(name.clone(), i, &members[i])));
            if !group.parts.is_empty() {
                if own.is_empty() {
                    lines.push(Line {
                        name,
                        member: None,
                        bytes: 0,
                        compressed: 0,
                    });
                }
                group.lines(&format!("{indent}{below}"), members, ascii, lines);
            }
        }
    }
}
