//! Every way to write a plain dtype, against what a live NumPy takes.

use std::collections::BTreeMap;

use serde_npz::Dtype;

use crate::common::python;

/// Prints each spelling and the `descr` of what NumPy makes of it; nothing behind the tab where it refuses.
const SCRIPT: &str = r#"
import itertools, random, sys, warnings
import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr
warnings.simplefilter("ignore")
letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ?"
orders = ["", "<", ">", "=", "|"]
widths = ["", "0", "1", "2", "4", "8", "10", "12", "16", "20", "24", "32", "08", "8[ns]", "8[25us]", "[s]", "[]"]
names = """bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 int intc int_ uint uintc uintp intp long ulong
    longlong ulonglong short ushort byte ubyte float float16 float32 float64 half single double longdouble complex
    complex64 complex128 csingle cdouble clongdouble str str_ unicode bytes bytes_ void object object_ datetime64
    timedelta64 datetime64[ns] timedelta64[25s] datetime648 float128 complex256 float8 int128 generic Float64""".split()
plain = [o + l + w for o in orders for l in letters for w in widths] + [o + n for o in orders for n in names]
random.seed(int(sys.argv[1]))
pieces = ["f8", "<f8", ">i4", "?", "S", "S3", "U2", "c", "d", "M8[ns]", "float32", "bool_", "V3", "O", "g", "x9"]
shapes = ["", "", "", "1", "2", "02", "0", "2,3", "(2,)", "(2)", "(2,3)", "()", "( 2, 3 )", " ", "2 ", "(2", "2)", "2 3"]
short = []
for _ in range(20000):
    fields = []
    for _ in range(random.randrange(1, 4)):
        fields.append(random.choice(orders) + random.choice(shapes) + random.choice(pieces))
    short.append(random.choice([",", ",", ", ", " ,", ",,", ";"]).join(fields) + random.choice(["", "", "", ",", " "]))
for text in dict.fromkeys(plain + short):
    try:
        dtype = descr_to_dtype(text)
        item, shape = dtype.subdtype or (dtype, ())
        descr = dtype_to_descr(item)
        found = repr((descr, shape) if shape else descr)
    except Exception:
        found = ""
    print(text, found, sep="\t")
"#;

#[test]
#[ignore = "needs Python with NumPy"]
fn every_spelling_means_what_it_means_to_numpy() {
    let numpy_1 = python("import numpy; print(numpy.__version__)", &[]).starts_with('1');
    let mut taken = 0;
    let mut wrong = BTreeMap::new();
    for line in python(SCRIPT, &["7".as_ref()]).lines() {
        let (text, found) = line.split_once('\t').expect("a spelling and what it means");
        let bare = text.trim_start_matches(['<', '>', '=', '|']);
        // Spellings that one of the two NumPys alone knows or, as `1f8`, takes for another, `a`, which the newer one is about to forget, and a last type
        // that is nothing but a byte order, to NumPy no bytes.
        let of_one = numpy_1
            && (matches!(bare, "n" | "N" | "long" | "ulong") || text.contains('1') || text.trim_end().ends_with(','));
        if of_one || bare.starts_with('a') || text.ends_with(['<', '>', '=', '|']) {
            continue;
        }
        let ours = match Dtype::parse(text) {
            Ok(dtype) => dtype.to_string(),
            Err(_) => String::new(),
        };
        // Of what NumPy takes, this crate refuses objects and longdouble.
        let refused = ["|O", "f16", "c32", "StringDType"]
            .iter()
            .any(|part| found.contains(part));
        let expected = if refused { "" } else { found.trim_matches('\'') };
        if ours != expected {
            wrong.insert(text.to_owned(), (ours, found.to_owned()));
        }
        taken += usize::from(!expected.is_empty());
    }
    let shown: Vec<String> = wrong
        .iter()
        .take(40)
        .map(|(text, (ours, numpys))| format!("{text:?}: {ours} | {numpys}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} differ, such as\n{}",
        wrong.len(),
        shown.join("\n")
    );
    assert!(taken > 1_000, "only {taken} taken");
}
