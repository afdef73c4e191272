//! The names of an archive, sorted into groups.
//!
//! ```text
//! dt.npy  meta/id.npy  meta/note.json      root ─┬─ dt    array
//!                                                └─ meta ─┬─ id    array
//!                                                         └─ note  json
//! ```

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Where the tree starts.
pub(crate) const ROOT: usize = 0;

/// All groups, arrays and texts. Nodes are numbers in one vector: no walk recurses, however long a path is.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    separator: Option<char>,
    index: HashMap<Path, usize>,
    /// Members that are neither array nor JSON text, as far as their names and first bytes tell.
    others: Vec<usize>,
}

/// One key: an array, a JSON text, a group, or several of these.
pub(crate) struct Node {
    parent: usize,
    path: Path,
    /// Where the name of the node itself starts in its path.
    name: usize,
    pub(crate) array: Option<usize>,
    pub(crate) json: Option<usize>,
    /// In the archive's order.
    pub(crate) children: Vec<usize>,
}

/// The beginning of a member's name: the member's allocation serves all nodes on the way to it.
#[derive(Clone)]
struct Path {
    member: Arc<str>,
    len: usize,
}

impl Path {
    fn as_str(&self) -> &str {
        &self.member[..self.len]
    }
}

impl Borrow<str> for Path {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Hash for Path {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Path {}

/// What a member gives its key: an array or a text.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Array(usize),
    Json(usize),
}

impl Tree {
    /// An empty tree, with room for so many `members`.
    pub(crate) fn new(separator: Option<char>, members: usize) -> Self {
        let mut nodes = Vec::with_capacity(members.saturating_add(1));
        let path = Path {
            member: "".into(),
            len: 0,
        };
        nodes.push(Node::new(ROOT, path, 0));
        Tree {
            nodes,
            separator,
            index: HashMap::with_capacity(members),
            others: Vec::new(),
        }
    }

    pub(crate) fn leave_out(&mut self, member: usize) {
        self.others.push(member);
    }

    pub(crate) fn others(&self) -> &[usize] {
        &self.others
    }

    /// Enters a member, whose key is the first `len` bytes of its name.
    pub(crate) fn insert(&mut self, member: &Arc<str>, len: usize, role: Role) {
        let key = &member[..len];
        let (mut at, mut start) = (ROOT, 0);
        // A key with an empty segment, such as `a//b`, is not split.
        if let Some(separator) = self.separator
            && key.contains(separator)
            && key.split(separator).all(|name| !name.is_empty())
        {
            for (end, separator) in key.match_indices(separator) {
                at = self.child(at, member, start, end);
                start = end + separator.len();
            }
        }
        at = self.child(at, member, start, len);
        match role {
            Role::Array(member) => self.nodes[at].array = Some(member),
            Role::Json(member) => self.nodes[at].json = Some(member),
        }
    }

    /// The child whose path is the first `end` bytes of a member's name, and its own name those from `start` on.
    fn child(&mut self, at: usize, member: &Arc<str>, start: usize, end: usize) -> usize {
        let path = Path {
            member: Arc::clone(member),
            len: end,
        };
        match self.index.entry(path) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let child = self.nodes.len();
                self.nodes.push(Node::new(at, entry.key().clone(), start));
                self.nodes[at].children.push(child);
                *entry.insert(child)
            }
        }
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    /// The members at a node and within it.
    pub(crate) fn members(&self, at: usize) -> Vec<usize> {
        let (mut nodes, mut members) = (vec![at], Vec::new());
        while let Some(at) = nodes.pop() {
            let node = &self.nodes[at];
            members.extend(node.array.into_iter().chain(node.json));
            nodes.extend(&node.children);
        }
        members
    }

    /// The children of a group by name, in the archive's order.
    pub(crate) fn children(&self, at: usize) -> impl Iterator<Item = (&str, usize)> {
        let children = self.nodes[at].children.iter();
        children.map(|&child| (self.nodes[child].name(), child))
    }

    /// The path of a node, from the name of the node `from` on, which lies on the way to it.
    pub(crate) fn path_from(&self, at: usize, from: usize) -> &str {
        &self.nodes[at].path.as_str()[self.nodes[from].name..]
    }

    /// The paths of all groups, arrays and texts.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().skip(1).map(|node| node.path.as_str())
    }

    /// The child of a group that has exactly this name.
    pub(crate) fn child_of(&self, at: usize, name: &str) -> Option<usize> {
        let child = match at {
            ROOT => self.index.get(name),
            _ => {
                let path = format!("{}{}{name}", self.nodes[at].path.as_str(), self.separator?);
                self.index.get(path.as_str())
            }
        };
        // `a/` may be a key that is not split: no child of `a`.
        child.copied().filter(|&child| self.nodes[child].parent == at)
    }

    /// The node of a path: first the key that is exactly so, then the path into groups.
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        match self.child_of(ROOT, path) {
            Some(verbatim) => Some(verbatim),
            None => self.trail(ROOT, path)?.pop(),
        }
    }

    /// The nodes along a path from the group `at` on, the one it leads to last.
    pub(crate) fn trail(&self, at: usize, path: &str) -> Option<Vec<usize>> {
        let mut at = at;
        path.split(self.separator?)
            .map(|name| {
                at = self.child_of(at, name)?;
                Some(at)
            })
            .collect()
    }
}

impl Node {
    fn new(parent: usize, path: Path, name: usize) -> Self {
        Node {
            parent,
            path,
            name,
            array: None,
            json: None,
            children: Vec::new(),
        }
    }

    fn name(&self) -> &str {
        &self.path.as_str()[self.name..]
    }
}

/// NumPy's key for a member: its name without one trailing `.npy`.
pub(crate) fn key(member: &str) -> &str {
    member.strip_suffix(".npy").unwrap_or(member)
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
