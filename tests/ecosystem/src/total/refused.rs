//! What is refused, and why: the table `Refused` of the mapping, said once more and in another way.

use serde_npz::ErrorKind;

use super::types::{Type, Variant};
use super::values::Value;

/// The kinds of error with which this value may be refused; none where it has to be saved.
pub fn reason(ty: &Type, value: &Value) -> Vec<ErrorKind> {
    let mut reasons = Vec::new();
    find(ty, value, &mut reasons);
    reasons
}

fn find(ty: &Type, value: &Value, reasons: &mut Vec<ErrorKind>) {
    match (ty, value) {
        (_, Value::Text(text)) if text.ends_with('\0') => reasons.push(ErrorKind::InvalidValue),
        (_, Value::Char('\0')) => reasons.push(ErrorKind::InvalidValue),
        (Type::Option(inner), Value::Some(v)) => {
            if matches!(bare(inner), Type::Option(_) | Type::Unit | Type::UnitStruct) {
                reasons.push(ErrorKind::UnsupportedType);
            }
            find(inner, v, reasons);
        }
        (Type::Newtype(inner), Value::Parts(v)) => find(inner, &v[0], reasons),
        (Type::Seq(inner), Value::Parts(v)) => {
            sequence(inner, v, reasons);
            v.iter().for_each(|v| find(inner, v, reasons));
        }
        (Type::Tuple(types) | Type::TupleStruct(types), Value::Parts(v)) => tuple(types, v, reasons),
        (Type::Struct(types), Value::Parts(v)) => types.iter().zip(v).for_each(|(ty, v)| find(ty, v, reasons)),
        (Type::Map(key, inner), Value::Map(entries)) => {
            for (k, v) in entries {
                let is_bad = |name: &str| name.is_empty() || name.contains(['/', '\0']);
                if matches!(k, Value::Text(name) if is_bad(name)) || matches!(k, Value::Char('/' | '\0')) {
                    reasons.push(ErrorKind::InvalidName);
                }
                find(key, k, reasons);
                find(inner, v, reasons);
            }
        }
        (Type::Enum(variants), Value::Variant(index, v)) => match &variants[*index] {
            Variant::Unit => {}
            Variant::Newtype(ty) => find(ty, &v[0], reasons),
            Variant::Tuple(types) => tuple(types, v, reasons),
            Variant::Struct(types) => types.iter().zip(v).for_each(|(ty, v)| find(ty, v, reasons)),
        },
        _ => {}
    }
}

/// A tuple is an array where its items are alike.
fn tuple(types: &[Type], v: &[Value], reasons: &mut Vec<ErrorKind>) {
    if let [first, ..] = types {
        sequence(first, v, reasons);
    }
    types.iter().zip(v).for_each(|(ty, v)| find(ty, v, reasons));
}

fn sequence(inner: &Type, v: &[Value], reasons: &mut Vec<ErrorKind>) {
    // NumPy has no bytes of width 0, and one width for all.
    let mut widths = Vec::new();
    v.iter().for_each(|v| bytes(v, &mut widths));
    if widths.contains(&0) {
        reasons.push(ErrorKind::InvalidValue);
    }
    if widths.windows(2).any(|pair| pair[0] != pair[1]) {
        reasons.push(ErrorKind::Ragged);
    }
    match bare(inner) {
        Type::Unit | Type::UnitStruct if !v.is_empty() => reasons.push(ErrorKind::UnsupportedType),
        Type::Option(of) if (is_scalar(of) || is_name(of)) && v.iter().any(is_none) => {
            reasons.push(ErrorKind::InvalidValue);
        }
        Type::Seq(of) if is_row(of) && lens(inner, v).windows(2).any(|pair| pair[0] != pair[1]) => {
            reasons.push(ErrorKind::Ragged);
        }
        _ => {}
    }
}

/// Without the newtypes around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Newtype(inner) => bare(inner),
        ty => ty,
    }
}

/// The widths of all bytes that are a part of an element.
fn bytes(v: &Value, widths: &mut Vec<usize>) {
    match v {
        Value::Bytes(bytes) => widths.push(bytes.len()),
        Value::Some(v) => bytes_of(std::slice::from_ref(&**v), widths),
        Value::Parts(parts) => bytes_of(parts, widths),
        _ => {}
    }
}

fn bytes_of(parts: &[Value], widths: &mut Vec<usize>) {
    parts.iter().for_each(|v| bytes(v, widths));
}

/// The lengths of elements of type `ty`, which are sequences.
fn lens(ty: &Type, v: &[Value]) -> Vec<usize> {
    v.iter().map(|v| len(ty, v)).collect()
}

fn len(ty: &Type, v: &Value) -> usize {
    match (ty, v) {
        // A newtype is as long as what is in it.
        (Type::Newtype(inner), Value::Parts(parts)) if parts.len() == 1 => len(inner, &parts[0]),
        (_, Value::Parts(parts)) => parts.len(),
        _ => 0,
    }
}

fn is_scalar(ty: &Type) -> bool {
    matches!(
        bare(ty),
        Type::Bool | Type::Int(_) | Type::Uint(_) | Type::F32 | Type::F64 | Type::Char | Type::Text | Type::Bytes
    )
}

/// Whether it is None, inside of newtypes or not.
fn is_none(v: &Value) -> bool {
    match v {
        Value::None => true,
        Value::Parts(parts) => matches!(&parts[..], [v] if is_none(v)),
        _ => false,
    }
}

/// Whether it may be the name of a variant, which is a text.
fn is_name(ty: &Type) -> bool {
    match bare(ty) {
        Type::Enum(variants) => variants.iter().any(|variant| matches!(variant, Variant::Unit)),
        _ => false,
    }
}

/// Whether sequences of it may be rows of an array.
fn is_row(ty: &Type) -> bool {
    match bare(ty) {
        Type::Seq(of) => is_row(of),
        ty => is_fixed(ty),
    }
}

/// Whether a value of it may be one element of an array; of an Option it is not known as long as it is None.
fn is_fixed(ty: &Type) -> bool {
    match bare(ty) {
        Type::Tuple(types) | Type::TupleStruct(types) | Type::Struct(types) => types.iter().all(is_fixed),
        Type::Option(_) | Type::Unit | Type::UnitStruct => true,
        ty => is_scalar(ty) || is_name(ty),
    }
}
