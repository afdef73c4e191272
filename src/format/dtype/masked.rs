//! Values beside a mask, a bool that is True where there is one: how records hold what is optional.
//!
//! ```text
//! [('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1')]      `temp?` is the mask of the field `temp`
//! [('x', '<f8'), ('y', '<f8'), ('?', '|b1')]             `?`, the last field, is that of the whole element
//! [('value', '<u4', (3,)), ('?', '|b1')]                 likewise, around what is no record
//! ```

use std::collections::HashMap;

use super::{Dtype, Field, Kind, Record};

/// What is behind the name of a field in the name of its mask, and the whole name of the mask of an element.
pub(crate) const MASK: &str = "?";

/// The name of the only field of an element that is no record, beside its mask.
pub(crate) const VALUE: &str = "value";

/// A value and its mask, at their offsets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Masked {
    /// Without a name if it is a whole element, which then is a record.
    pub(crate) value: Field,
    pub(crate) mask: Field,
    /// How many bytes hold both.
    pub(crate) size: u64,
}

impl Masked {
    /// The only field of a record that is there for the mask alone.
    fn only_value(&self) -> Option<&Field> {
        match &self.value.dtype.kind {
            Kind::Record(record) if self.value.name.is_empty() => record.only_value(None),
            _ => None,
        }
    }

    /// Value and mask as the fields of a record.
    fn fields(&self) -> Record {
        let mut fields = vec![self.value.clone(), self.mask.clone()];
        fields[0].dtype = self.value.dtype.without_masks();
        fields.sort_by_key(|field| field.offset);
        Record {
            fields,
            itemsize: self.size,
        }
    }

    /// What the value is, without the record around one that is none.
    pub(crate) fn element(&self) -> &Dtype {
        self.only_value().map_or(&self.value.dtype, |value| &value.dtype)
    }

    /// Where that begins in the value.
    pub(crate) fn inset(&self) -> u64 {
        self.only_value().map_or(0, |value| value.offset)
    }
}

impl Dtype {
    /// The same elements, each value that has a mask as one [`Masked`]; `None` if there is no mask.
    pub(crate) fn with_masks(&self) -> Option<Dtype> {
        match &self.kind {
            Kind::Record(record) => record.with_masks(),
            Kind::Array { item, shape } => Some(Dtype::new(Kind::Array {
                item: Box::new(item.with_masks()?),
                shape: shape.clone(),
            })),
            _ => None,
        }
    }

    /// The elements as they are in a header: masks are fields like others.
    pub(crate) fn without_masks(&self) -> Dtype {
        match &self.kind {
            Kind::Record(record) => Dtype::new(Kind::Record(record.without_masks())),
            Kind::Array { item, shape } => Dtype::new(Kind::Array {
                item: Box::new(item.without_masks()),
                shape: shape.clone(),
            }),
            Kind::Masked(masked) => match masked.value.dtype.without_masks().kind {
                Kind::Record(mut record) if masked.value.name.is_empty() => {
                    record.fields.push(masked.mask.clone());
                    Dtype::new(Kind::Record(record))
                }
                _ => Dtype::new(Kind::Record(masked.fields())),
            },
            _ => self.clone(),
        }
    }
}

impl Record {
    fn with_masks(&self) -> Option<Dtype> {
        let masks = self.masks();
        let whole = self.fields.last().filter(|last| is_mask(last) && last.name == MASK);
        let inner: Vec<_> = self.fields.iter().map(|field| field.dtype.with_masks()).collect();
        if masks.is_empty() && whole.is_none() && inner.iter().all(Option::is_none) {
            return None;
        }
        let is_shown = |index: &usize| !masks.values().any(|mask| mask == index);
        let mut record = Record {
            fields: Vec::with_capacity(self.fields.len()),
            itemsize: self.itemsize,
        };
        for (index, (field, inner)) in self.fields.iter().zip(inner).enumerate() {
            let value = Field {
                dtype: inner.unwrap_or_else(|| field.dtype.clone()),
                ..field.clone()
            };
            match masks.get(&index) {
                Some(&mask) => record.fields.push(value.beside(&self.fields[mask])),
                None if is_shown(&index) => record.fields.push(value),
                None => {}
            }
        }
        let Some(mask) = whole else {
            return Some(Dtype::new(Kind::Record(record)));
        };
        record.fields.pop();
        let value = Field {
            name: String::new(),
            title: None,
            offset: 0,
            size: self.itemsize,
            number: None,
            dtype: Dtype::new(Kind::Record(record)),
        };
        Some(value.beside(mask).dtype)
    }

    /// The masks, by the values they belong to. The mask of a field is none itself for another one.
    fn masks(&self) -> HashMap<usize, usize> {
        let mut masks = HashMap::new();
        if !self.fields.iter().any(is_mask) {
            return masks;
        }
        let names: HashMap<&str, usize> = self.fields.iter().enumerate().map(|(i, f)| (&*f.name, i)).collect();
        let mut named_so: Vec<usize> = (0..self.fields.len()).filter(|&i| is_mask(&self.fields[i])).collect();
        // A name that is shorter is never that of a mask of a longer one.
        named_so.sort_by_key(|&i| self.fields[i].name.len());
        let mut is_mask = vec![false; self.fields.len()];
        for mask in named_so {
            let stem = self.fields[mask].name.strip_suffix(MASK);
            if let Some(&value) = stem.and_then(|stem| names.get(stem))
                && !is_mask[value]
            {
                is_mask[mask] = true;
                masks.insert(value, mask);
            }
        }
        masks
    }

    fn without_masks(&self) -> Record {
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            match &field.dtype.kind {
                Kind::Masked(masked) if !masked.value.name.is_empty() => {
                    for part in [&masked.value, &masked.mask] {
                        fields.push(Field {
                            offset: field.offset + part.offset,
                            dtype: part.dtype.without_masks(),
                            ..part.clone()
                        });
                    }
                }
                _ => fields.push(Field {
                    dtype: field.dtype.without_masks(),
                    ..field.clone()
                }),
            }
        }
        fields.sort_by_key(|field| field.offset);
        Record {
            fields,
            itemsize: self.itemsize,
        }
    }

    /// What an element is that is no record, if this is one around it; a tuple of `len` items is asked for.
    pub(crate) fn only_value(&self, len: Option<usize>) -> Option<&Field> {
        match &self.fields[..] {
            [field] if field.name == VALUE => match &field.dtype.kind {
                // Else the tuple is one of the only field.
                Kind::Array { shape, .. } if len != Some(1) || shape.first() == Some(&1) => Some(field),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Field {
    pub(super) fn is_masked(&self) -> bool {
        matches!(self.dtype.kind, Kind::Masked(_))
    }

    /// The field that holds this value and its mask.
    fn beside(self, mask: &Field) -> Field {
        let start = self.offset.min(mask.offset);
        let size = (self.offset + self.size).max(mask.offset + mask.size) - start;
        Field {
            name: self.name.clone(),
            title: self.title.clone(),
            offset: start,
            size,
            number: None,
            dtype: Dtype::new(Kind::Masked(Box::new(Masked {
                mask: Field {
                    offset: mask.offset - start,
                    ..mask.clone()
                },
                value: Field {
                    offset: self.offset - start,
                    ..self
                },
                size,
            }))),
        }
    }
}

fn is_mask(field: &Field) -> bool {
    field.dtype.kind == Kind::Bool && field.name.ends_with(MASK)
}
