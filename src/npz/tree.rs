//! The names of an archive, sorted into groups.
//!
//! ```text
//! dt.npy  meta/id.npy  meta/note.json      root ─┬─ dt    array
//!                                                └─ meta ─┬─ id    array
//!                                                         └─ note  json
//! ```

use std::collections::HashMap;

/// Where the tree starts.
pub(crate) const ROOT: usize = 0;

/// All groups, arrays and texts. Nodes are numbers in one vector: no walk recurses, however long a path is.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    index: HashMap<(usize, String), usize>,
    /// Members that are neither array nor JSON text, as far as their names and first bytes tell.
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

/// What a member gives its key: an array or a text.
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
            // A key with an empty segment, such as `a//b`, is not split.
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

    /// The child of a group that has exactly this name.
    pub(crate) fn child_of(&self, at: usize, name: &str) -> Option<usize> {
        self.index.get(&(at, name.to_owned())).copied()
    }

    /// The node of a path: first the key that is exactly so, then the path into groups.
    pub(crate) fn find(&self, path: &str, separator: Option<char>) -> Option<usize> {
        match self.child_of(ROOT, path) {
            Some(verbatim) => Some(verbatim),
            None => self.trail(ROOT, path, separator?)?.pop(),
        }
    }

    /// The nodes along a path from the group `at` on, the one it leads to last.
    pub(crate) fn trail(&self, at: usize, path: &str, separator: char) -> Option<Vec<usize>> {
        let mut at = at;
        path.split(separator)
            .map(|name| {
                at = self.child_of(at, name)?;
                Some(at)
            })
            .collect()
    }
}

/// Children in the order of a list, where the names behind `prefix` are exactly 0, 1, ..
pub(crate) fn numbered(children: &[(&str, usize)], prefix: &str) -> Option<Vec<usize>> {
    let mut list = vec![usize::MAX; children.len()];
    for (name, child) in children {
        let number = name.strip_prefix(prefix)?;
        let canonical = number == "0" || !number.starts_with(['0', '+']);
        let number = number.parse::<usize>().ok().filter(|_| canonical)?;
        *list.get_mut(number)? = *child;
    }
    (!list.is_empty()).then_some(list)
}
