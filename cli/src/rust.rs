//! Rust for a file: the derived struct that loads it, as text.
//!
//! ```text
//! members ─► tree::Node ─► types::Field ─► print
//! names      groups        one type each    code
//! ```
//!
//! Only headers decide, and where a layout of two members has to be told from a group that happens to have their names,
//! what a [`Look`] into the file says. Nothing here opens a file.

mod names;
mod print;
mod tree;
mod types;
pub mod verb;

use serde_npz::Header;

use self::tree::Node;
use self::types::{Field, MANY, Struct, Type};

pub use self::names::{comment, is_type};

/// A member of the file.
pub struct Member {
    /// As NumPy has it, or, of a JSON text, without the suffix; `""` for a lone array.
    pub key: String,
    pub kind: Kind,
}

/// What a member is.
pub enum Kind {
    Array(Header),
    Json,
    /// Nothing that can be loaded, and why.
    Other(String),
}

/// How the code shall look.
#[derive(Default)]
pub struct Options {
    /// Arrays of numbers are ndarray's.
    pub ndarray: bool,
    /// Arrays of numbers are borrowed from a mapped file.
    pub view: bool,
    /// The name of the outermost type.
    pub name: String,
    /// The path of the file, as the lines that load it have it.
    pub path: String,
    pub separator: Option<char>,
}

/// What a group of `values` and `offsets` holds.
#[derive(Clone, Copy, PartialEq)]
pub enum Ragged {
    Rows,
    Texts,
    /// The offsets do not fit: it is a group like any other.
    No,
}

/// Questions that headers do not answer.
pub trait Look {
    /// Whether the group at `path` holds rows of unequal lengths.
    fn ragged(&mut self, path: &str) -> Ragged;
}

/// The code for an archive.
pub fn of_archive(members: &[Member], look: &mut dyn Look, options: &Options) -> String {
    let root = Node::of(members, options.separator);
    let mut groups = Groups { look, options };
    let mut field = match root.list() {
        // An array-like root is none: it is a list only where its elements are groups.
        Some(elements) if elements.iter().all(|element| element.member.is_none()) => {
            groups.list(&options.name, "", &elements)
        }
        _ => Ok(groups.fields(&options.name, "", &root, true)),
    }
    .unwrap_or_else(|reason| Field::value(format!("a member of it cannot be loaded: {reason}")));
    if field.with.as_deref() == Some("serde_npz::with::list") {
        field.with = None;
    }
    print::print(field, "npz", options)
}

/// The code for a lone array.
pub fn of_array(header: &Header, options: &Options) -> String {
    print::print(types::array(&options.name, header, options), "npy", options)
}

struct Groups<'a> {
    look: &'a mut dyn Look,
    options: &'a Options,
}

/// A type, or why what is there cannot be loaded.
type Typed = Result<Field, String>;

impl Groups<'_> {
    fn node(&mut self, name: &str, path: &str, node: &Node<'_>) -> Typed {
        let Some(member) = node.member else {
            return self.group(name, path, node);
        };
        let typed = match &member.kind {
            Kind::Array(header) => types::array(name, header, self.options),
            Kind::Json => {
                let mut field = Field::new(Type::plain("serde_json::Value")).with("json");
                field.doc.note = "a JSON text".to_owned();
                field
            }
            Kind::Other(reason) => return Err(reason.clone()),
        };
        if node.children.is_empty() {
            return Ok(typed);
        }
        Ok(Field::value("an array and a group share this name"))
    }

    fn group(&mut self, name: &str, path: &str, node: &Node<'_>) -> Typed {
        if let Some(elements) = node.list() {
            return self.list(name, path, &elements);
        }
        if let Some(field) = self.ragged(name, path, node).or_else(|| self.masked(name, node)) {
            return Ok(field);
        }
        Ok(self.fields(name, path, node, false))
    }

    /// Rows of unequal lengths, or texts: `values` and `offsets`.
    fn ragged(&mut self, name: &str, path: &str, node: &Node<'_>) -> Option<Field> {
        let [values, offsets] = arrays(node, ["values", "offsets"])?;
        if offsets.shape().len() != 1 || values.shape().is_empty() || !matches!(offsets.dtype().kind(), 'i' | 'u') {
            return None;
        }
        let found = self.look.ragged(path);
        let plain = Options {
            separator: self.options.separator,
            ..Options::default()
        };
        let row = types::array(name, values, &plain);
        let row = match found {
            Ragged::No => return None,
            Ragged::Texts => Type::plain("String"),
            // The elements can have no attribute of their own.
            Ragged::Rows if row.with.is_some() || values.shape().len() > 1 => return None,
            Ragged::Rows => row.ty,
        };
        let mut field = Field::new(row.vec()).with("ragged");
        field.doc.note = format!(
            "rows of unequal lengths, {} in all, `{}`",
            values.shape()[0],
            names::comment(&values.dtype().to_string())
        );
        Some(field)
    }

    /// Values of which some are missing: `values` and `values?`.
    fn masked(&mut self, name: &str, node: &Node<'_>) -> Option<Field> {
        let [values, mask] = arrays(node, ["values", "values?"])?;
        if mask.dtype().kind() != 'b' || mask.shape() != values.shape() || values.shape().is_empty() {
            return None;
        }
        let field = types::array(name, values, &Options::default());
        if field.with.is_some() || !matches!(field.ty, Type::Vec(_)) {
            return None;
        }
        let mut masked = Field {
            ty: optional_elements(field.ty, values.shape().len()),
            ..field
        }
        .with("masked");
        masked.doc.note = "None where `values?` is False".to_owned();
        Some(masked)
    }

    /// `0`, `1`, ..: one type for all elements.
    fn list(&mut self, name: &str, path: &str, elements: &[&Node<'_>]) -> Typed {
        let mut all: Option<Field> = None;
        for (index, element) in elements.iter().enumerate() {
            let here = self.join(path, &index.to_string());
            let field = self
                .node(name, &here, element)
                .map_err(|reason| format!("of `{}`: {reason}", names::comment(&here)))?;
            all = match all.map(|all| all.unify(&field)) {
                None => Some(field),
                Some(Ok(all)) => Some(all),
                Some(Err(reason)) => {
                    self.loadable(path, elements)?;
                    return Ok(Field::value(reason));
                }
            };
        }
        let element = all.unwrap_or_else(|| Field::new(Type::plain("()")));
        let doc = element.doc.clone();
        let mut field = Field::new(element.bare(name).vec());
        field.doc = doc;
        let kept = std::mem::take(&mut field.doc.note);
        let many = if elements.len() == 1 {
            "a list of 1".to_owned()
        } else {
            format!("a list of {}", elements.len())
        };
        field.doc.note = if kept.is_empty() {
            many
        } else {
            format!("{many}, {kept}")
        };
        Ok(if self.is_a_list_anyway(&field.ty) {
            field
        } else {
            field.with("list")
        })
    }

    /// Whether a sequence of this type is written as a list without being asked to.
    fn is_a_list_anyway(&self, ty: &Type) -> bool {
        let Type::Vec(element) = ty else { return false };
        let Type::Struct(group) = &**element else { return false };
        group
            .fields
            .iter()
            .any(|field| matches!(field.ty, Type::Vec(_) | Type::Map(_)) && field.with.is_none())
    }

    /// An error if any member below cannot be loaded: as a value all of them would have to be.
    fn loadable(&mut self, path: &str, elements: &[&Node<'_>]) -> Result<(), String> {
        for (index, element) in elements.iter().enumerate() {
            self.node("", &self.join(path, &index.to_string()), element)?;
        }
        Ok(())
    }

    /// A struct, or a map where there are many.
    fn fields(&mut self, name: &str, path: &str, node: &Node<'_>, root: bool) -> Field {
        let mut fields = Vec::new();
        let mut left_out = Vec::new();
        for (key, child) in &node.children {
            let here = self.join(path, key);
            match self.node(key, &here, child) {
                Ok(field) => fields.push(field.keyed(key)),
                Err(reason) => left_out.push((key.clone(), reason)),
            }
            if child.member.is_some() {
                self.claimed(key, child, &mut fields, &mut left_out);
            }
        }
        if fields.len() >= MANY && left_out.is_empty() {
            return map(name, fields);
        }
        let group = Struct {
            hint: name.to_owned(),
            fields,
            left_out,
        };
        let mut field = Field::new(Type::Struct(group));
        if !root {
            field.doc.note = "a group".to_owned();
        }
        field
    }

    /// The members of a group whose name is an array's as well: each is a field of its own with a path for a name, so that only
    /// the array is left for the name itself.
    fn claimed(&mut self, path: &str, node: &Node<'_>, fields: &mut Vec<Field>, left_out: &mut Vec<(String, String)>) {
        for (key, child) in &node.children {
            let here = self.join(path, key);
            if child.member.is_some() {
                let alone = child.alone();
                match self.node(key, &here, &alone) {
                    Ok(field) => fields.push(field.keyed(&here)),
                    Err(reason) => left_out.push((here.clone(), reason)),
                }
            }
            self.claimed(&here, child, fields, left_out);
        }
    }

    fn join(&self, path: &str, name: &str) -> String {
        match self.options.separator {
            Some(separator) if !path.is_empty() => format!("{path}{separator}{name}"),
            _ => name.to_owned(),
        }
    }
}

/// The headers of a group of exactly these arrays.
fn arrays<'m>(node: &Node<'m>, names: [&str; 2]) -> Option<[&'m Header; 2]> {
    let header = |name| match node.get(name)? {
        Node {
            member: Some(Member {
                kind: Kind::Array(header),
                ..
            }),
            children,
            ..
        } if children.is_empty() => Some(header),
        _ => None,
    };
    (node.children.len() == 2).then_some(())?;
    Some([header(names[0])?, header(names[1])?])
}

/// The type of the elements below `axes` vectors, as options.
fn optional_elements(ty: Type, axes: usize) -> Type {
    match ty {
        Type::Vec(inner) if axes > 0 => optional_elements(*inner, axes - 1).vec(),
        ty => Type::Option(Box::new(ty)),
    }
}

/// Very many siblings: a map to their one type, or to any value.
fn map(name: &str, fields: Vec<Field>) -> Field {
    let count = fields.len();
    let mut all: Option<Result<Field, String>> = None;
    for field in fields {
        all = Some(match all {
            None => Ok(field),
            Some(Ok(all)) => all.unify(&field),
            Some(Err(reason)) => Err(reason),
        });
    }
    let hint = format!("{name} item");
    let (ty, note) = match all {
        Some(Ok(field)) => (field.bare(&hint), format!("a group of {count} alike")),
        _ => (Type::plain(types::VALUE), format!("a group of {count}, not alike")),
    };
    let mut field = Field::new(Type::Map(Box::new(ty)));
    field.doc.note = note;
    field
}

#[cfg(test)]
mod tests;
