//! Types as code.

use std::collections::HashMap;
use std::fmt::Write;

use super::Options;
use super::names::{self, Names};
use super::types::{Doc, Field, Struct, Type};

/// The whole file: imports, the types from the outermost inwards, and how it is loaded.
pub fn print(root: Field, suffix: &str, options: &Options) -> String {
    let mut printer = Printer {
        types: Names::of_types(),
        code: String::new(),
        known: HashMap::new(),
        later: Vec::new(),
    };
    let name = printer.types.unique(&options.name, "");
    let borrows = root.ty.borrows();
    printer.root(&name, root);
    while let Some((name, ty)) = printer.later.pop() {
        printer.code.push('\n');
        match ty {
            Named::Struct(group) => printer.group(&name, group),
            Named::Wrapper(field) => printer.wrapper(&name, field),
        }
    }
    let body = printer.code;
    let mut code = String::new();
    imports(&mut code, &body);
    code.push_str(&body);
    code.push('\n');
    load(&mut code, &name, borrows, suffix, options);
    code
}

fn imports(code: &mut String, body: &str) {
    if body.contains("BTreeMap<") {
        code.push_str("use std::collections::BTreeMap;\n\n");
    }
    if body.contains("#[derive(") {
        code.push_str("use serde::{Deserialize, Serialize};\n\n");
    }
    for (used, line) in [
        (
            "num_complex::",
            "// num-complex = { version = \"0.4\", features = [\"serde\"] }\n",
        ),
        (
            "ndarray::",
            "// ndarray = { version = \"0.17\", features = [\"serde\"] }; serde_npz with the feature \"ndarray-0_17\"\n",
        ),
        ("serde_json::", "// serde_json = \"1\"\n"),
    ] {
        if body.contains(used) {
            code.push_str(line);
        }
    }
    if code.ends_with("}\n") || code.ends_with("\"\n") {
        code.push('\n');
    }
}

/// The two lines that load the file, as a comment.
fn load(code: &mut String, name: &str, borrows: bool, suffix: &str, options: &Options) {
    let path = names::literal(&options.path);
    let separator = match (options.separator, suffix) {
        (Some('/'), _) | (_, "npy") => None,
        (Some(c), _) => Some(format!("ReadOptions::new().separator(Some({c:?}))")),
        (None, _) => Some("ReadOptions::new().separator(None)".to_owned()),
    };
    let map = if suffix == "npz" { "NpzMmap" } else { "NpyMmap" };
    let lines = match (borrows, separator) {
        (true, None) => [
            format!("let map = unsafe {{ serde_npz::{map}::open({path})? }}; // the feature \"mmap\""),
            format!(
                "let data: {name} = map.{}()?;",
                if suffix == "npz" { "deserialize" } else { "read" }
            ),
        ],
        (true, Some(with)) => [
            format!(
                "let map = unsafe {{ serde_npz::{map}::open_with({path}, &serde_npz::{with})? }}; // the feature \"mmap\""
            ),
            format!("let data: {name} = map.deserialize()?;"),
        ],
        (false, None) => [
            format!("let path = {path};"),
            format!("let data: {name} = serde_npz::load_{suffix}(path)?;"),
        ],
        (false, Some(with)) => [
            format!("let path = {path};"),
            format!("let data: {name} = serde_npz::{with}.load_{suffix}(path)?;"),
        ],
    };
    for line in lines {
        let _ = writeln!(code, "// {line}");
    }
}

enum Named {
    Struct(Struct),
    Wrapper(Field),
}

struct Printer {
    types: Names,
    code: String,
    /// The names of types, by what they are: equal groups share one.
    known: HashMap<String, String>,
    /// Types that were named and not yet printed, the next one last.
    later: Vec<(String, Named)>,
}

impl Printer {
    fn root(&mut self, name: &str, root: Field) {
        match root {
            Field {
                ty: Type::Struct(group),
                with: None,
                ..
            } => self.group(name, group),
            Field { with: Some(_), .. } => self.wrapper(name, root),
            Field { ty, doc, .. } => {
                self.doc(&doc, "");
                let lifetime = if ty.borrows() { "<'a>" } else { "" };
                let mut named = Vec::new();
                let ty = self.ty(ty, &mut named);
                let _ = writeln!(self.code, "pub type {name}{lifetime} = {ty};");
                self.later.extend(named.into_iter().rev());
            }
        }
    }

    fn group(&mut self, name: &str, group: Struct) {
        let lifetime = if Type::Struct(group.clone()).borrows() {
            "<'a>"
        } else {
            ""
        };
        let _ = writeln!(
            self.code,
            "#[derive(Serialize, Deserialize)]\npub struct {name}{lifetime} {{"
        );
        let mut fields = Names::default();
        let mut named = Vec::new();
        for field in group.fields {
            self.doc(&field.doc, "    ");
            let ident = fields.unique(&names::field(&field.key), "_");
            let rename = (ident != field.key).then(|| format!("rename = {}", names::literal(&field.key)));
            let borrow = field.ty.borrows().then(|| "borrow".to_owned());
            let default = field.optional.then(|| "default".to_owned());
            let with = field.with.as_ref().map(|with| format!("with = \"{with}\""));
            let attributes: Vec<String> = [rename, borrow, default, with].into_iter().flatten().collect();
            if !attributes.is_empty() {
                let _ = writeln!(self.code, "    #[serde({})]", attributes.join(", "));
            }
            let ty = self.ty(field.ty, &mut named);
            let _ = writeln!(self.code, "    pub {}: {ty},", names::raw(&ident));
        }
        for (name, reason) in &group.left_out {
            let _ = writeln!(
                self.code,
                "    // left out: {}: {}",
                names::literal(&names::comment(name)),
                names::comment(reason)
            );
        }
        self.code.push_str("}\n");
        self.later.extend(named.into_iter().rev());
    }

    fn wrapper(&mut self, name: &str, field: Field) {
        self.doc(&field.doc, "");
        let lifetime = if field.ty.borrows() { "<'a>" } else { "" };
        let borrow = if field.ty.borrows() { "borrow, " } else { "" };
        let with = field.with.unwrap_or_default();
        let mut named = Vec::new();
        let ty = self.ty(field.ty, &mut named);
        let _ = writeln!(
            self.code,
            "#[derive(Serialize, Deserialize)]\n#[serde(transparent)]\npub struct {name}{lifetime}(#[serde({borrow}with = \"{with}\")] pub {ty});"
        );
        self.later.extend(named.into_iter().rev());
    }

    fn ty(&mut self, ty: Type, named: &mut Vec<(String, Named)>) -> String {
        let borrows = ty.borrows();
        let (hint, inner) = match ty {
            Type::Plain(name) | Type::View(name) => return name,
            Type::Vec(inner) => return format!("Vec<{}>", self.ty(*inner, named)),
            Type::Array(inner, n) => return format!("[{}; {n}]", self.ty(*inner, named)),
            Type::Option(inner) => return format!("Option<{}>", self.ty(*inner, named)),
            Type::Map(inner) => return format!("BTreeMap<String, {}>", self.ty(*inner, named)),
            Type::Struct(group) => (group.hint.clone(), Named::Struct(group)),
            Type::Wrapper { hint, inner } => (hint, Named::Wrapper(*inner)),
        };
        let signature = match &inner {
            Named::Struct(group) => group.signature(),
            Named::Wrapper(field) => field.signature(),
        };
        let name = match self.known.get(&signature) {
            Some(name) => name.clone(),
            None => {
                let name = self.types.unique(&names::ty(&hint), "");
                named.push((name.clone(), inner));
                self.known.insert(signature, name.clone());
                name
            }
        };
        if borrows { format!("{name}<'a>") } else { name }
    }

    fn doc(&mut self, doc: &Doc, indent: &str) {
        let mut parts = Vec::new();
        if !doc.dtype.is_empty() {
            parts.push(format!("`{}`", names::comment(&doc.dtype)));
        }
        if let Some(shape) = &doc.shape {
            parts.push(format!("shape {}", shown(shape)));
        }
        if !doc.note.is_empty() {
            parts.push(names::comment(&doc.note));
        }
        if !parts.is_empty() {
            let _ = writeln!(self.code, "{indent}/// {}", parts.join(", "));
        }
    }
}

/// A shape as Python prints it, `_` for axes that differ.
fn shown(shape: &[Option<u64>]) -> String {
    let axes: Vec<String> = shape
        .iter()
        .map(|axis| axis.map_or("_".to_owned(), |axis| axis.to_string()))
        .collect();
    match &*axes {
        [one] => format!("({one},)"),
        _ => format!("({})", axes.join(", ")),
    }
}
