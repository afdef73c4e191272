//! One value as a lone file, to a stream, and as a member of an archive: the same bytes or the same refusal.

use std::io::Cursor;

use serde::Serialize;
use serde_npz::{Error, ErrorKind, Header, NpzReader, to_npy_vec, to_npz_vec};

/// A field is measured before a byte of it is written.
#[derive(Serialize)]
pub struct Measured<'a, T: ?Sized> {
    pub rows: &'a T,
}

/// The lone file, after a look at what the same value makes in an archive.
#[track_caller]
pub fn agreed<T: Serialize + ?Sized>(rows: &T) -> Result<Vec<u8>, Error> {
    let lone = to_npy_vec(rows);
    let mut written = Vec::new();
    let streamed = serde_npz::to_npy_writer(&mut written, rows);
    let archive = to_npz_vec(&Measured { rows });
    match (&lone, archive) {
        (Ok(bytes), Ok(archive)) => {
            let mut npz = NpzReader::new(Cursor::new(archive)).unwrap();
            assert_eq!(
                npz.names().collect::<Vec<_>>(),
                ["rows"],
                "an array alone, a list in the archive"
            );
            assert!(npz.raw("rows").unwrap() == *bytes, "other bytes than the member");
            match streamed {
                // Numbers of several kinds, in records that a stream has begun already.
                Err(error) => {
                    assert!(
                        error.kind() == ErrorKind::MixedTypes
                            && error.hint().is_some_and(|hint| hint.contains("to_npy_vec")),
                        "{error:?}"
                    )
                }
                Ok(()) => assert!(written == *bytes, "other bytes in a stream"),
            }
        }
        (Ok(bytes), Err(error)) => panic!("{error} in the archive, {:?} alone", Header::read(&mut &bytes[..])),
        (Err(error), Ok(archive)) => {
            let names: Vec<String> = NpzReader::new(Cursor::new(archive))
                .unwrap()
                .names()
                .map(str::to_owned)
                .collect();
            assert_ne!(names, ["rows"], "an array in the archive, alone {error}");
            let kinds = [ErrorKind::UnsupportedType, ErrorKind::MixedTypes, ErrorKind::Ragged];
            assert!(kinds.contains(&error.kind()), "{error}");
            assert!(kinds.contains(&streamed.unwrap_err().kind()));
        }
        (Err(error), Err(archive)) => {
            assert_eq!(streamed.unwrap_err().kind(), error.kind());
            // What would be a list may have an error of its own there.
            let list = error.kind() == ErrorKind::MixedTypes || error.to_string().contains("several arrays");
            if !list {
                assert_eq!(error.kind(), archive.kind(), "{error} / {archive}");
                let path = archive.path();
                assert_eq!(
                    error.path(),
                    path.strip_prefix("rows").unwrap_or(path),
                    "{error} / {archive}"
                );
            }
        }
    }
    lone
}
