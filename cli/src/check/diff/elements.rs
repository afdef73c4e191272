//! Whether two elements are equal, with the meaning of `np.isclose`, and how far they are apart.

use half::f16;
use serde_npz::Dtype;

/// More parts than this are compared as bytes.
const MOST_LEAVES: usize = 1 << 16;

pub struct Tolerance {
    pub rtol: f64,
    pub atol: f64,
    pub nan_differs: bool,
}

/// Where the scalars of an element lie.
pub struct Leaf {
    offset: usize,
    count: usize,
    kind: Kind,
    size: usize,
    big: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    Int,
    Uint,
    Float,
    Complex,
    Time,
    Text,
    Bytes,
}

/// What comparing two elements finds.
#[derive(Clone, Copy, Default)]
pub struct Verdict {
    pub differs: bool,
    /// Of the numbers that differ, where their difference is finite.
    pub abs: Option<f64>,
    pub rel: Option<f64>,
}

/// Whether an element of this dtype can be NaN or NaT.
pub fn may_be_nan(dtype: &Dtype) -> bool {
    match dtype.subarray() {
        Some((base, _)) => may_be_nan(base),
        None => {
            matches!(dtype.kind(), 'f' | 'c' | 'M' | 'm')
                || dtype.fields().iter().any(|field| may_be_nan(field.dtype()))
        }
    }
}

/// The scalars of an element; padding is none. `None` where there are too many.
pub fn leaves(dtype: &Dtype) -> Option<Vec<Leaf>> {
    let mut leaves = Vec::new();
    push(dtype, 0, 1, &mut leaves)?;
    Some(leaves)
}

fn push(dtype: &Dtype, offset: u64, count: u64, leaves: &mut Vec<Leaf>) -> Option<()> {
    if let Some((base, shape)) = dtype.subarray() {
        let count = count.checked_mul(shape.iter().product())?;
        return push(base, offset, count, leaves);
    }
    if !dtype.fields().is_empty() {
        for i in 0..count {
            for field in dtype.fields() {
                push(field.dtype(), offset + i * dtype.itemsize() + field.offset(), 1, leaves)?;
            }
        }
        return Some(());
    }
    if leaves.len() >= MOST_LEAVES {
        return None;
    }
    let kind = match (dtype.kind(), dtype.itemsize()) {
        ('b', _) => Kind::Bool,
        ('i', _) => Kind::Int,
        ('u', _) => Kind::Uint,
        ('f', 2 | 4 | 8) => Kind::Float,
        ('c', 8 | 16) => Kind::Complex,
        ('M' | 'm', _) => Kind::Time,
        ('U', _) => Kind::Text,
        _ => Kind::Bytes,
    };
    leaves.push(Leaf {
        offset: usize::try_from(offset).ok()?,
        count: usize::try_from(count).ok()?,
        kind,
        size: usize::try_from(dtype.itemsize()).ok()?,
        big: dtype.byte_order() == '>',
    });
    Some(())
}

/// Compares two elements of the same dtype.
pub fn compare(leaves: &[Leaf], a: &[u8], b: &[u8], tolerance: &Tolerance) -> Verdict {
    let mut verdict = Verdict::default();
    for leaf in leaves {
        for i in 0..leaf.count {
            let at = leaf.offset + i * leaf.size;
            let range = at..at + leaf.size;
            let (Some(a), Some(b)) = (a.get(range.clone()), b.get(range)) else {
                continue;
            };
            leaf.compare(a, b, tolerance, &mut verdict);
        }
    }
    verdict
}

impl Verdict {
    fn differ(&mut self, abs: f64, of: f64) {
        self.differs = true;
        if abs.is_finite() {
            self.abs = Some(self.abs.map_or(abs, |before| before.max(abs)));
            let rel = abs / of;
            if rel.is_finite() {
                self.rel = Some(self.rel.map_or(rel, |before| before.max(rel)));
            }
        }
    }
}

impl Leaf {
    fn compare(&self, a: &[u8], b: &[u8], tolerance: &Tolerance, verdict: &mut Verdict) {
        match self.kind {
            // Any byte but 0 is True.
            Kind::Bool => {
                let [a, b] = [a, b].map(|bytes| bytes.iter().any(|&byte| byte != 0));
                if a != b && !close(f64::from(u8::from(a)), f64::from(u8::from(b)), tolerance) {
                    verdict.differ(1.0, f64::from(u8::from(b)));
                }
            }
            Kind::Int | Kind::Uint => {
                let [a, b] = [a, b].map(|bytes| self.int(bytes));
                let apart = (a - b).unsigned_abs() as f64;
                if a != b
                    && apart
                        .partial_cmp(&(tolerance.atol + tolerance.rtol * (b as f64).abs()))
                        .is_none_or(|o| o.is_gt())
                {
                    verdict.differ(apart, (b as f64).abs());
                }
            }
            Kind::Float => {
                let close = match self.size {
                    8 => close(self.f64(a), self.f64(b), tolerance),
                    4 => close_f32(self.f64(a) as f32, self.f64(b) as f32, tolerance),
                    _ => close_f16(self.f64(a), self.f64(b), tolerance),
                };
                let [a, b] = [a, b].map(|bytes| self.f64(bytes));
                if !(close || a.is_nan() && b.is_nan() && !tolerance.nan_differs) {
                    verdict.differ((a - b).abs(), b.abs());
                }
            }
            Kind::Complex => {
                let half = self.size / 2;
                let [a, b] = [a, b].map(|bytes| [self.part(&bytes[..half]), self.part(&bytes[half..])]);
                let nan = |x: [f64; 2]| x[0].is_nan() || x[1].is_nan();
                let (apart, of) = ((a[0] - b[0]).hypot(a[1] - b[1]), b[0].hypot(b[1]));
                let finite = b.iter().all(|part| part.is_finite());
                let within = match half {
                    8 => apart <= tolerance.atol + tolerance.rtol * of,
                    _ => apart as f32 <= tolerance.atol as f32 + tolerance.rtol as f32 * of as f32,
                };
                if !(within && finite || a == b || nan(a) && nan(b) && !tolerance.nan_differs) {
                    verdict.differ(apart, of);
                }
            }
            Kind::Time => {
                let [a, b] = [a, b].map(|bytes| self.int(bytes));
                let nat = |count: i128| count == i128::from(i64::MIN);
                let same = if nat(a) && nat(b) {
                    !tolerance.nan_differs
                } else {
                    a == b
                };
                verdict.differs |= !same;
            }
            Kind::Text | Kind::Bytes => verdict.differs |= a != b,
        }
    }

    /// Any integer of NumPy's; also the count of a time.
    fn int(&self, bytes: &[u8]) -> i128 {
        let mut value = 0_u128;
        let mut add = |byte: &u8| value = value << 8 | u128::from(*byte);
        if self.big {
            bytes.iter().for_each(&mut add)
        } else {
            bytes.iter().rev().for_each(&mut add)
        }
        let bits = bytes.len() * 8;
        if self.kind == Kind::Uint || bits == 0 || bits >= 128 {
            return value as i128;
        }
        let shift = 128 - bits;
        (value << shift) as i128 >> shift
    }

    fn f64(&self, bytes: &[u8]) -> f64 {
        self.part(bytes)
    }

    fn part(&self, bytes: &[u8]) -> f64 {
        let mut native = [0; 8];
        let len = bytes.len().min(8);
        native[..len].copy_from_slice(&bytes[..len]);
        if self.big {
            native[..len].reverse();
        }
        let bits = u64::from_le_bytes(native);
        match len {
            8 => f64::from_bits(bits),
            4 => f64::from(f32::from_bits(bits as u32)),
            _ => f64::from(f16::from_bits(bits as u16)),
        }
    }

    fn show(&self, bytes: &[u8]) -> String {
        match self.kind {
            Kind::Bool => if bytes.iter().any(|&byte| byte != 0) {
                "True"
            } else {
                "False"
            }
            .to_owned(),
            Kind::Int | Kind::Uint | Kind::Time => self.int(bytes).to_string(),
            Kind::Float if self.size == 8 => format!("{:?}", self.f64(bytes)),
            Kind::Float => format!("{:?}", self.f64(bytes) as f32),
            Kind::Complex => {
                let half = self.size / 2;
                let [re, im] = [&bytes[..half], &bytes[half..]].map(|part| self.part(part));
                let sign = if im.is_sign_negative() { "" } else { "+" };
                if half == 8 {
                    format!("{re:?}{sign}{im:?}j")
                } else {
                    format!("{:?}{sign}{:?}j", re as f32, im as f32)
                }
            }
            Kind::Text => {
                let chars = bytes.chunks_exact(4).map(|unit| {
                    let unit = <[u8; 4]>::try_from(unit).unwrap_or_default();
                    let point = if self.big {
                        u32::from_be_bytes(unit)
                    } else {
                        u32::from_le_bytes(unit)
                    };
                    char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)
                });
                format!("{:?}", chars.collect::<String>().trim_end_matches('\0'))
            }
            Kind::Bytes => format!("b\"{}\"", bytes.escape_ascii()),
        }
    }
}

/// An element for people, cut where it is very long.
pub fn show(leaves: &[Leaf], element: &[u8]) -> String {
    let parts: Vec<String> = leaves
        .iter()
        .flat_map(|leaf| (0..leaf.count).map(move |i| (leaf, leaf.offset + i * leaf.size)))
        .take(32)
        .filter_map(|(leaf, at)| Some(leaf.show(element.get(at..at + leaf.size)?)))
        .collect();
    let text = match &parts[..] {
        [one] => one.clone(),
        _ => format!("({})", parts.join(", ")),
    };
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

// NumPy computes in the dtype of the numbers, and so do these: at the edge of the tolerance the last bit decides.

fn close(a: f64, b: f64, tolerance: &Tolerance) -> bool {
    (a - b).abs() <= tolerance.atol + tolerance.rtol * b.abs() && b.is_finite() || a == b
}

fn close_f32(a: f32, b: f32, tolerance: &Tolerance) -> bool {
    (a - b).abs() <= tolerance.atol as f32 + tolerance.rtol as f32 * b.abs() && b.is_finite() || a == b
}

fn close_f16(a: f64, b: f64, tolerance: &Tolerance) -> bool {
    let round = |x: f64| f64::from(f16::from_f64(x));
    let within = round(round(tolerance.atol) + round(round(tolerance.rtol) * b.abs()));
    round(a - b).abs() <= within && b.is_finite() || a == b
}
