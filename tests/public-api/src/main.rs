//! Prints the public API of a crate from the JSON that rustdoc writes: `public-api-listing FILE.json`.
//!
//! A line for each item, with what it holds below. What may differ between toolchains, or while the API stays, is left
//! out: where `std` and the private modules keep a type, the methods of traits, and which `impl` block has a method.

use std::collections::{HashMap, HashSet};

use public_api::Builder;

/// An item, or all `impl` blocks of one head with what they hold.
struct Block {
    head: String,
    items: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let json = std::env::args_os()
        .nth(1)
        .ok_or("expected the file that rustdoc wrote")?;
    let api = Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    let lines: Vec<String> = api.items().map(ToString::to_string).collect();
    let modules: HashSet<&str> = lines.iter().filter_map(|line| line.strip_prefix("pub mod ")).collect();

    let mut blocks: Vec<Block> = Vec::new();
    let mut impls = HashMap::new();
    for (item, line) in api.items().zip(&lines) {
        let line = short(line, &modules);
        if let Some(block) = item.parent_id().and_then(|parent| impls.get(&parent)) {
            let Block { head, items } = &mut blocks[*block];
            if !(head.contains(" for ") && line.contains("fn ")) {
                items.push(line.replacen(&format!("{}::", owner(head)), "", 1));
            }
        } else if line.starts_with("impl") {
            let known = blocks.iter().position(|block| block.head == line);
            impls.insert(item.id(), known.unwrap_or(blocks.len()));
            if known.is_none() {
                blocks.push(Block {
                    head: line,
                    items: Vec::new(),
                });
            }
        } else {
            blocks.push(Block {
                head: line,
                items: Vec::new(),
            });
        }
    }
    // Only the compiler asks for this one.
    blocks.retain(|block| !block.head.contains("StructuralPartialEq"));
    for of_item in blocks.chunk_by_mut(|_, next| next.head.starts_with("impl")) {
        of_item[1..].sort_by(|a, b| a.head.cmp(&b.head));
    }
    for Block { head, mut items } in blocks {
        println!("{head}");
        items.sort();
        // A type that is exported twice brings its methods twice.
        items.dedup();
        items.iter().for_each(|item| println!("    {item}"));
    }
    Ok(())
}

/// The type that an `impl` is for.
fn owner(head: &str) -> &str {
    let head = head.split(" where ").next().unwrap_or(head);
    if let Some((_, owner)) = head.split_once(" for ") {
        return owner;
    }
    // Behind the parameters: `impl<R: Read> NpyReader<R>`.
    let mut depth = 0;
    let end = head.find(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        c == ' ' && depth == 0
    });
    end.map_or(head, |end| &head[end + 1..])
}

/// The line with each path as a user of the crate would write it.
fn short(line: &str, modules: &HashSet<&str>) -> String {
    let of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let parts = line.split_inclusive(|c| !of_path(c)).map(|part| {
        let (path, delimiter) = part.split_at(part.trim_end_matches(|c| !of_path(c)).len());
        let names: Vec<&str> = path.split("::").collect();
        let (name, parents) = names.split_last().unwrap_or((&"", &[]));
        let depth = parents
            .iter()
            .take_while(|name| name.starts_with(char::is_lowercase))
            .count();
        let public = modules.contains(path) || modules.contains(&*parents[..depth].join("::"));
        let left_out = match parents {
            // The name alone would be that of ours.
            ["core" | "alloc" | "std", "io" | "fmt" | "error", ..] if matches!(*name, "Result" | "Error") => 1,
            ["serde_npz", ..] if public => 1,
            ["core" | "alloc" | "std" | "serde_npz", ..] => depth,
            _ => 0,
        };
        names[left_out..].join("::").replace("serde_core::", "serde::") + delimiter
    });
    parts.collect()
}
