//! Types of Rust for arrays, and one type for many alike.

use serde_npz::{Dtype, Header};

use super::{Options, names};

/// From here on members alike are a map: rustc takes no struct of ten thousand fields.
pub const MANY: usize = 200;
/// The longest array that serde's derive knows.
const LONGEST_ARRAY: u64 = 32;
/// More elements without a byte are not handed out one by one.
const EMPTY_ELEMENTS: u64 = 1 << 16;

/// A type as it will be printed.
#[derive(Clone)]
pub enum Type {
    /// `f64`, `serde_npz::Value`.
    Plain(String),
    /// `ArrayView<'a, f64>`.
    View(String),
    Vec(Box<Type>),
    Array(Box<Type>, u64),
    Option(Box<Type>),
    Map(Box<Type>),
    Struct(Struct),
    /// A struct of one unnamed field, for an attribute where a type alone cannot carry it.
    Wrapper {
        hint: String,
        inner: Box<Field>,
    },
}

#[derive(Clone)]
pub struct Struct {
    /// The name in the file, from which that of the type is made.
    pub hint: String,
    pub fields: Vec<Field>,
    /// What is left out, and why.
    pub left_out: Vec<(String, String)>,
}

/// A type with the module that reads it, and what is to be said about it.
#[derive(Clone)]
pub struct Field {
    pub key: String,
    pub ty: Type,
    pub with: Option<String>,
    pub doc: Doc,
    /// It may be missing.
    pub optional: bool,
}

/// What a comment says about a member.
#[derive(Clone, Debug, Default)]
pub struct Doc {
    pub dtype: String,
    /// `None` where arrays alike differ.
    pub shape: Option<Vec<Option<u64>>>,
    /// Why it is a `Value`, or what its numbers are.
    pub note: String,
}

impl Type {
    pub fn plain(name: &str) -> Type {
        Type::Plain(name.to_owned())
    }

    pub fn vec(self) -> Type {
        Type::Vec(Box::new(self))
    }

    fn is_unit(&self) -> bool {
        matches!(self, Type::Plain(name) if name == "()")
    }

    fn is_value(&self) -> bool {
        matches!(self, Type::Plain(name) if name == VALUE)
    }

    /// Whether it borrows from the file.
    pub fn borrows(&self) -> bool {
        match self {
            Type::Plain(_) => false,
            Type::View(_) => true,
            Type::Vec(inner) | Type::Array(inner, _) | Type::Option(inner) | Type::Map(inner) => inner.borrows(),
            Type::Struct(group) => group.fields.iter().any(|field| field.ty.borrows()),
            Type::Wrapper { inner, .. } => inner.ty.borrows(),
        }
    }
}

pub const VALUE: &str = "serde_npz::Value";

impl Field {
    pub fn new(ty: Type) -> Field {
        Field {
            key: String::new(),
            ty,
            with: None,
            doc: Doc::default(),
            optional: false,
        }
    }

    /// Any value, because of `reason`.
    pub fn value(reason: impl Into<String>) -> Field {
        let mut field = Field::new(Type::plain(VALUE));
        field.doc.note = reason.into();
        field
    }

    pub fn with(mut self, module: &str) -> Field {
        self.with = Some(format!("serde_npz::with::{module}"));
        self
    }

    pub fn keyed(mut self, key: &str) -> Field {
        self.key = key.to_owned();
        self
    }

    /// The type alone, for a place that takes no attribute.
    pub fn bare(self, hint: &str) -> Type {
        if self.with.is_none() {
            return self.ty;
        }
        Type::Wrapper {
            hint: hint.to_owned(),
            inner: Box::new(self),
        }
    }

    fn is_unit(&self) -> bool {
        self.ty.is_unit()
    }

    /// One type for both, or why there is none.
    pub fn unify(self, other: &Field) -> Result<Field, String> {
        if self.ty.is_value() {
            return Ok(self);
        }
        if other.ty.is_value() {
            return Ok(other.clone());
        }
        if self.is_unit() && !other.is_unit() {
            return Ok(other.clone().maybe());
        }
        if other.is_unit() && !self.is_unit() {
            return Ok(self.maybe());
        }
        if self.with != other.with {
            return Err("its elements are of unequal kinds".to_owned());
        }
        let mut doc = self.doc;
        doc.meet(&other.doc);
        Ok(Field {
            ty: meet(self.ty, &other.ty)?,
            doc,
            optional: self.optional || other.optional,
            ..other.clone()
        })
    }

    /// The same, which may be none.
    pub fn maybe(mut self) -> Field {
        if !matches!(self.ty, Type::Option(_)) {
            self.ty = Type::Option(Box::new(self.ty));
        }
        self
    }
}

fn meet(a: Type, b: &Type) -> Result<Type, String> {
    let boxed = |a: Box<Type>, b: &Type| meet(*a, b).map(Box::new);
    Ok(match (a, b) {
        (Type::Option(a), Type::Option(b)) => Type::Option(boxed(a, b)?),
        (Type::Option(a), b) => Type::Option(boxed(a, b)?),
        (a, Type::Option(b)) => Type::Option(Box::new(meet(a, b)?)),
        (Type::Plain(a), Type::Plain(b)) if a == *b => Type::Plain(a),
        (Type::Plain(a), Type::Plain(b)) => return Err(format!("its elements are of two kinds, {a} and {b}")),
        (Type::View(a), Type::View(b)) if a == *b => Type::View(a),
        (Type::Vec(a), Type::Vec(b)) => Type::Vec(boxed(a, b)?),
        (Type::Array(a, n), Type::Array(b, m)) if n == *m => Type::Array(boxed(a, b)?, n),
        (Type::Map(a), Type::Map(b)) => Type::Map(boxed(a, b)?),
        (Type::Struct(a), Type::Struct(b)) => Type::Struct(a.meet(b)),
        (Type::Wrapper { hint, inner }, Type::Wrapper { inner: other, .. }) => Type::Wrapper {
            hint,
            inner: Box::new(inner.unify(other)?),
        },
        (Type::Vec(_), Type::Plain(_)) | (Type::Plain(_), Type::Vec(_)) => {
            return Err("its arrays have unequal numbers of axes".to_owned());
        }
        _ => return Err("its elements are of unequal kinds".to_owned()),
    })
}

impl Struct {
    /// The fields of both; what only one has may be missing.
    fn meet(mut self, other: &Struct) -> Struct {
        let at = |fields: &[Field]| -> std::collections::HashMap<String, usize> {
            fields
                .iter()
                .enumerate()
                .map(|(at, field)| (field.key.clone(), at))
                .collect()
        };
        let [ours, theirs] = [at(&self.fields), at(&other.fields)];
        for field in &mut self.fields {
            match theirs.get(&field.key) {
                Some(&there) => {
                    let key = field.key.clone();
                    let optional = field.optional;
                    let met = std::mem::replace(field, Field::new(Type::plain("()"))).unify(&other.fields[there]);
                    *field = met.unwrap_or_else(Field::value).keyed(&key);
                    field.optional |= optional;
                }
                None => field.miss(),
            }
        }
        for field in &other.fields {
            if !ours.contains_key(&field.key) {
                let mut field = field.clone();
                field.miss();
                self.fields.push(field);
            }
        }
        for left_out in &other.left_out {
            if !self.left_out.iter().any(|(name, _)| *name == left_out.0) {
                self.left_out.push(left_out.clone());
            }
        }
        // Left out in one is left out in all.
        let left_out = &self.left_out;
        self.fields
            .retain(|field| !left_out.iter().any(|(name, _)| *name == field.key));
        self
    }
}

/// Everything that is printed, but for names of types.
impl Type {
    fn signature(&self) -> String {
        match self {
            Type::Plain(name) | Type::View(name) => name.clone(),
            Type::Vec(inner) => format!("Vec<{}>", inner.signature()),
            Type::Array(inner, n) => format!("[{}; {n}]", inner.signature()),
            Type::Option(inner) => format!("Option<{}>", inner.signature()),
            Type::Map(inner) => format!("Map<{}>", inner.signature()),
            Type::Struct(group) => group.signature(),
            Type::Wrapper { inner, .. } => inner.signature(),
        }
    }
}

impl Struct {
    pub fn signature(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(Field::signature).collect();
        format!("{{{}}} {:?}", fields.join(", "), self.left_out)
    }
}

impl Field {
    pub fn signature(&self) -> String {
        let Field {
            key,
            ty,
            with,
            doc,
            optional,
        } = self;
        format!("{key:?} {} {with:?} {doc:?} {optional}", ty.signature())
    }

    fn miss(&mut self) {
        if !matches!(self.ty, Type::Option(_)) {
            self.ty = Type::Option(Box::new(std::mem::replace(&mut self.ty, Type::plain("()"))));
        }
        self.optional = true;
    }
}

impl Doc {
    fn meet(&mut self, other: &Doc) {
        if self.dtype != other.dtype {
            self.dtype = String::new();
        }
        self.shape = match (self.shape.take(), &other.shape) {
            (Some(a), Some(b)) if a.len() == b.len() => Some(
                a.into_iter()
                    .zip(b)
                    .map(|(a, &b)| if a == b { a } else { None })
                    .collect(),
            ),
            _ => None,
        };
    }

    fn of(header: &Header) -> Doc {
        Doc {
            dtype: header.dtype().to_string(),
            shape: Some(header.shape().iter().map(|&axis| Some(axis)).collect()),
            note: String::new(),
        }
    }
}

/// The type for an array.
pub fn array(hint: &str, header: &Header, options: &Options) -> Field {
    let mut field = of_array(hint, header, options);
    let note = std::mem::take(&mut field.doc.note);
    field.doc = Doc {
        note,
        ..Doc::of(header)
    };
    field
}

fn of_array(hint: &str, header: &Header, options: &Options) -> Field {
    let (dtype, shape) = (header.dtype(), header.shape());
    let plain_void = dtype.kind() == 'V' && dtype.fields().is_empty() && dtype.subarray().is_none();
    if plain_void && dtype.itemsize() == 0 {
        return match shape {
            [] => Field::new(Type::plain("()")),
            [0] => Field::new(Type::Map(Box::new(Type::plain(VALUE)))),
            _ => Field::value("it has elements without a byte"),
        };
    }
    let before_none = shape.iter().take_while(|&&axis| axis != 0);
    let handed_out = before_none.fold(1_u64, |all, &axis| all.saturating_mul(axis));
    let holds_nothing = dtype.itemsize() == 0 || shape.contains(&0);
    if holds_nothing && handed_out > EMPTY_ELEMENTS {
        return Field::value("it has very many elements without a byte");
    }
    let Element { ty, with, note } = match element(hint, dtype) {
        Ok(element) => element,
        Err(reason) => return Field::value(reason),
    };
    let number = (matches!(dtype.kind(), 'i' | 'u' | 'f' | 'c' | 'b') && with.is_none()).then(|| ty.clone());
    let mut field = match number {
        Some(Type::Plain(number)) if options.view && !shape.is_empty() && dtype.kind() != 'b' => {
            Field::new(Type::View(format!("serde_npz::ArrayView<'a, {number}>")))
        }
        Some(Type::Plain(number)) if options.ndarray && !shape.is_empty() => {
            let array = match shape.len() {
                rank @ 1..=6 => format!("ndarray::Array{rank}<{number}>"),
                _ => format!("ndarray::ArrayD<{number}>"),
            };
            Field::new(Type::Plain(array)).with("ndarray_0_17")
        }
        _ => Field {
            with,
            ..Field::new(shape.iter().fold(ty, |ty, _| ty.vec()))
        },
    };
    field.doc.note = note;
    field
}

struct Element {
    ty: Type,
    with: Option<String>,
    note: String,
}

impl Element {
    fn plain(name: &str) -> Element {
        Element {
            ty: Type::plain(name),
            with: None,
            note: String::new(),
        }
    }

    fn with(mut self, module: &str) -> Element {
        self.with = Some(format!("serde_npz::with::{module}"));
        self
    }

    fn note(mut self, note: &str) -> Element {
        self.note = note.to_owned();
        self
    }
}

/// The type for one element, or why there is none.
fn element(hint: &str, dtype: &Dtype) -> Result<Element, String> {
    if let Some((base, shape)) = dtype.subarray() {
        let mut element = element(hint, base)?;
        for &axis in shape.iter().rev() {
            if axis > LONGEST_ARRAY {
                return Err(format!(
                    "serde knows arrays of up to {LONGEST_ARRAY} elements, this has {axis}"
                ));
            }
            element.ty = Type::Array(Box::new(element.ty), axis);
        }
        if shape.contains(&0) {
            return Err("its elements have an axis of length 0".to_owned());
        }
        return Ok(element);
    }
    let no_type = || Err(format!("no type stands for {}", names::comment(&dtype.to_string())));
    Ok(match (dtype.kind(), dtype.itemsize()) {
        ('b', _) => Element::plain("bool"),
        (kind @ ('i' | 'u'), bytes @ 1..=8) => Element::plain(&format!("{kind}{}", bytes * 8)),
        ('f', 2) => Element::plain("f32").with("float16"),
        ('f', 4) => Element::plain("f32"),
        ('f', 8) => Element::plain("f64"),
        ('c', 8) => Element::plain("num_complex::Complex<f32>"),
        ('c', 16) => Element::plain("num_complex::Complex<f64>"),
        ('U', _) => Element::plain("String"),
        ('S', _) => Element {
            ty: Type::plain("u8").vec(),
            ..Element::plain("").with("bytes")
        },
        ('M', _) => return time(dtype, "datetime64", "since 1970-01-01; i64::MIN is NaT"),
        ('m', _) => return time(dtype, "timedelta64", "; i64::MIN is NaT"),
        ('V', bytes) if dtype.fields().is_empty() => match bytes {
            1..=LONGEST_ARRAY => Element {
                ty: Type::Array(Box::new(Type::plain("u8")), bytes),
                ..Element::plain("")
            },
            _ => {
                return Err(format!(
                    "serde knows arrays of up to {LONGEST_ARRAY} bytes, this has {bytes}"
                ));
            }
        },
        ('V', _) => return record(hint, dtype),
        _ => return no_type(),
    })
}

/// Times are counts of their unit.
fn time(dtype: &Dtype, module: &str, meaning: &str) -> Result<Element, String> {
    let text = dtype.to_string();
    let unit = text.split(['[', ']']).nth(1).unwrap_or_default();
    match unit {
        "Y" | "M" | "W" | "D" | "h" | "m" | "s" | "ms" | "us" | "ns" | "ps" | "fs" => Ok(Element::plain("i64")
            .with(&format!("{module}::{unit}"))
            .note(&format!("counts of {unit} {meaning}").replace(" ;", ";"))),
        "as" => Ok(Element::plain("i64")
            .with(&format!("{module}::as_"))
            .note(&format!("counts of as {meaning}").replace(" ;", ";"))),
        "" => Err("its unit of time is none".to_owned()),
        _ => Err(format!("no module stands for the unit [{}]", names::comment(unit))),
    }
}

/// A record is a struct; `x?` beside `x` tells whether `x` is there.
fn record(hint: &str, dtype: &Dtype) -> Result<Element, String> {
    let fields = dtype.fields();
    if fields.len() >= MANY {
        return Err(format!("its records have {} fields", fields.len()));
    }
    let is_mask = |field: &serde_npz::Field| field.dtype().kind() == 'b' && field.dtype().subarray().is_none();
    let has_mask = |name: &str| {
        fields
            .iter()
            .any(|field| field.name().strip_suffix('?') == Some(name) && is_mask(field))
    };
    let named = |name: &str| fields.iter().any(|field| field.name() == name);
    let all_masked = has_mask("");
    let shown: Vec<_> = fields
        .iter()
        .filter(|field| match field.name().strip_suffix('?') {
            Some("") => !is_mask(field),
            Some(of) => !(is_mask(field) && named(of)),
            None => true,
        })
        .collect();
    if shown.is_empty() {
        return Err("its records say only whether they are there".to_owned());
    }
    if all_masked && shown.len() == 1 && shown[0].name() == "value" {
        let mut element = element(hint, shown[0].dtype())?;
        element.ty = Type::Option(Box::new(element.ty));
        return Ok(element);
    }
    let mut group = Struct {
        hint: hint.to_owned(),
        fields: Vec::new(),
        left_out: Vec::new(),
    };
    for field in shown {
        let Element { ty, with, note } = match field.dtype() {
            dtype
                if dtype.kind() == 'V'
                    && dtype.itemsize() == 0
                    && dtype.fields().is_empty()
                    && dtype.subarray().is_none() =>
            {
                Element::plain("()")
            }
            dtype => element(field.name(), dtype)
                .map_err(|reason| format!("of its field `{}`: {reason}", names::comment(field.name())))?,
        };
        let mut printed = Field { with, ..Field::new(ty) };
        printed.doc = Doc {
            dtype: field.dtype().to_string(),
            shape: None,
            note,
        };
        if has_mask(field.name()) {
            printed = printed.maybe();
        }
        group.fields.push(printed.keyed(field.name()));
    }
    let ty = Type::Struct(group);
    Ok(Element {
        ty: if all_masked { Type::Option(Box::new(ty)) } else { ty },
        with: None,
        note: String::new(),
    })
}
