//! Fields of structs whose names are paths: each claims the member or group it names, so that nobody else sees it.
//!
//! ```text
//! struct W { #[serde(rename = "dense/bias")] bias: Vec<f32>, dense: Group }
//!
//! root ── dense ─┬─ bias     claimed by W: the group `dense` does not show it
//!                └─ kernel   without this one, `dense` would be absent
//! ```

use std::collections::{HashMap, HashSet};

use crate::npz::tree::Tree;

/// What is claimed in one archive, for the time of one call.
#[derive(Default)]
pub(super) struct Claims {
    /// Claimed nodes, and groups of which nothing else is left.
    hidden: HashSet<usize>,
    /// How many children of a group are hidden.
    taken: HashMap<usize, usize>,
}

impl Claims {
    pub(super) fn hides(&self, node: usize) -> bool {
        !self.hidden.is_empty() && self.hidden.contains(&node)
    }

    /// Whether a node has children that are not hidden.
    pub(super) fn leaves_children(&self, tree: &Tree, node: usize) -> bool {
        let taken = self.taken.get(&node).copied().unwrap_or_default();
        tree.node(node).children.len() > taken
    }

    /// Finds the nodes of those fields of a struct that are paths from the group `at`, and hides them from all others.
    pub(super) fn claim(
        &mut self,
        tree: &Tree,
        at: usize,
        fields: &'static [&'static str],
        separator: Option<char>,
    ) -> Vec<(&'static str, usize)> {
        let Some(separator) = separator else { return Vec::new() };
        let mut found: Vec<(&'static str, Vec<usize>)> = fields
            .iter()
            .filter(|field| field.contains(separator))
            // A key that is exactly so comes first; it is a child like any other.
            .filter(|field| tree.child_of(at, field).is_none())
            .filter_map(|field| Some((*field, tree.trail(at, field)?)))
            .collect();
        // Inner paths first: a group of which they leave nothing is absent, even where its own path is a field.
        found.sort_by_key(|(_, trail)| std::cmp::Reverse(trail.len()));
        found.retain(|(_, trail)| {
            let free = !trail.iter().any(|node| self.hides(*node));
            if free {
                self.hide(tree, trail);
            }
            free
        });
        // In the order of the archive, as the children are.
        found.sort_by_key(|(_, trail)| trail.last().copied());
        found
            .into_iter()
            .filter_map(|(field, trail)| Some((field, *trail.last()?)))
            .collect()
    }

    /// Hides the last node of a trail, and the groups along it that are empty then.
    fn hide(&mut self, tree: &Tree, trail: &[usize]) {
        for (depth, node) in trail.iter().enumerate().rev() {
            self.hidden.insert(*node);
            let Some(parent) = depth.checked_sub(1).map(|depth| trail[depth]) else {
                break;
            };
            *self.taken.entry(parent).or_default() += 1;
            let holds_value = tree.node(parent).array.is_some() || tree.node(parent).json.is_some();
            if holds_value || self.leaves_children(tree, parent) {
                break;
            }
        }
    }
}
