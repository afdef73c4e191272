//! What `np.load` cannot read, or reads otherwise than this tool shows it.

use std::collections::HashMap;

use serde::Serialize;
use serde_npz::ErrorKind;

use crate::frame::input::Member;

/// Longer headers need `max_header_size`.
const HEADER: u64 = 10_000;

#[derive(Serialize)]
pub struct Warning {
    pub member: String,
    pub message: String,
}

pub fn warnings(members: &[Member]) -> Vec<Warning> {
    let mut last = HashMap::new();
    for (i, member) in members.iter().enumerate() {
        last.insert(&member.name, i);
    }
    let mut warnings = Vec::new();
    for (i, member) in members.iter().enumerate() {
        let mut warn = |message: &str| {
            warnings.push(Warning {
                member: member.name.clone(),
                message: message.to_owned(),
            });
        };
        if last.get(&member.name) != Some(&i) {
            warn("np.load reads only the last member of this name");
        }
        if member.fault.as_ref().and_then(|fault| fault.kind()) == Some(ErrorKind::Pickle) {
            warn("np.load needs allow_pickle=True, which may run any code");
        }
        if member.header.is_none() && member.fault.is_none() {
            warn("np.load hands out its bytes: it is no array");
        }
        if member.header.is_some() && !member.name.is_empty() && member.file_name == member.name {
            warn("its name in the archive does not end in .npy, as np.savez writes it");
        }
        let header_len = member.data_offset.zip(member.offset).map(|(data, start)| data - start);
        if header_len.is_some_and(|len| len > HEADER) {
            warn("np.load refuses its header without max_header_size");
        }
        if !(member.method == 0 || [8, 12, 14].contains(&member.method)) {
            warn("Python's zipfile knows no such compression");
        }
    }
    warnings
}
