//! The names of an archive as groups in groups.
//!
//! ```text
//! dt.npy  meta/id.npy  meta/note.json      root ─┬─ dt    array
//!                                                └─ meta ─┬─ id    array
//!                                                         └─ note  json
//! ```

use std::collections::HashMap;

/// Where the tree starts.
pub(crate) const ROOT: usize = 0;

/// All groups, arrays and texts; nodes are numbers, so that no depth costs a stack.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    index: HashMap<(usize, String), usize>,
    /// Members that are nobody's value, as far as their first bytes tell.
    others: Vec<usize>,
}

/// One key: an array, a JSON text, a group, or several of these.
#[derive(Default)]
pub(crate) struct Node {
    pub(crate) array: Option<usize>,
    pub(crate) json: Option<usize>,
    /// In the archive's order.
    pub(crate) children: Vec<(String, usize)>,
}

/// What a member is to its key.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Array(usize),
    Json(usize),
}

impl Tree {
    pub(crate) fn new() -> Self {
        Tree {
            nodes: vec![Node::default()],
            index: HashMap::new(),
            others: Vec::new(),
        }
    }

    pub(crate) fn leave_out(&mut self, member: usize) {
        self.others.push(member);
    }

    pub(crate) fn others(&self) -> &[usize] {
        &self.others
    }

    /// Enters a member under its key.
    pub(crate) fn insert(&mut self, key: &str, separator: Option<char>, role: Role) {
        let mut at = ROOT;
        match separator.filter(|&separator| key.split(separator).all(|name| !name.is_empty())) {
            Some(separator) => {
                for name in key.split(separator) {
                    at = self.child(at, name);
                }
            }
            // A key with an empty segment is one name.
            None => at = self.child(at, key),
        }
        match role {
            Role::Array(member) => self.nodes[at].array = Some(member),
            Role::Json(member) => self.nodes[at].json = Some(member),
        }
    }

    fn child(&mut self, at: usize, name: &str) -> usize {
        if let Some(&child) = self.index.get(&(at, name.to_owned())) {
            return child;
        }
        let child = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[at].children.push((name.to_owned(), child));
        self.index.insert((at, name.to_owned()), child);
        child
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    /// The node of a path.
    pub(crate) fn find(&self, path: &str, separator: Option<char>) -> Option<usize> {
        if let Some(&verbatim) = self.index.get(&(ROOT, path.to_owned())) {
            return Some(verbatim);
        }
        let mut at = ROOT;
        for name in path.split(separator?) {
            at = *self.index.get(&(at, name.to_owned()))?;
        }
        Some(at)
    }

    /// The children in the order of a list, where they are exactly 0, 1, ..
    pub(crate) fn list(&self, at: usize) -> Option<Vec<usize>> {
        let children = &self.node(at).children;
        let mut list = vec![usize::MAX; children.len()];
        for (name, child) in children {
            let canonical = name == "0" || !name.starts_with(['0', '+']);
            let number = name.parse::<usize>().ok().filter(|_| canonical)?;
            *list.get_mut(number)? = *child;
        }
        (!list.is_empty()).then_some(list)
    }
}
