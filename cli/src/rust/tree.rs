//! The names of an archive as groups, in the archive's order.

use std::collections::HashMap;

use super::Member;

/// Deeper names are no groups, as in the library, which reads them as whole keys.
const DEPTH: usize = 48;

/// A group, an array, or both under one name.
#[derive(Default)]
pub struct Node<'m> {
    pub member: Option<&'m Member>,
    /// In the order in which they came first.
    pub children: Vec<(String, Node<'m>)>,
    at: HashMap<String, usize>,
}

impl<'m> Node<'m> {
    /// All members as one tree; names are split at `separator`.
    pub fn of(members: &'m [Member], separator: Option<char>) -> Node<'m> {
        let mut root = Node::default();
        for member in members {
            let segments: Vec<&str> = match separator {
                Some(separator) => member.key.split(separator).collect(),
                None => vec![&*member.key],
            };
            let whole = segments.len() > DEPTH || segments.iter().any(|segment| segment.is_empty());
            let node = if whole {
                root.child(&member.key)
            } else {
                segments.iter().fold(&mut root, |node, segment| node.child(segment))
            };
            node.member = Some(member);
        }
        root
    }

    fn child(&mut self, name: &str) -> &mut Node<'m> {
        let at = match self.at.get(name) {
            Some(&at) => at,
            None => {
                self.at.insert(name.to_owned(), self.children.len());
                self.children.push((name.to_owned(), Node::default()));
                self.children.len() - 1
            }
        };
        &mut self.children[at].1
    }

    /// The array of this name without the group.
    pub fn alone(&self) -> Node<'m> {
        Node {
            member: self.member,
            ..Node::default()
        }
    }

    /// The child of this name.
    pub fn get(&self, name: &str) -> Option<&Node<'m>> {
        self.at.get(name).map(|&at| &self.children[at].1)
    }

    /// The elements of a list, by number: the names are exactly `0`, `1`, .. `n - 1`.
    pub fn list(&self) -> Option<Vec<&Node<'m>>> {
        if self.children.is_empty() {
            return None;
        }
        (0..self.children.len())
            .map(|index| self.get(&index.to_string()))
            .collect()
    }
}
