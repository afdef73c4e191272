//! serde's four kinds of sequences, which differ in name alone.

/// Implements them for a type by its own `push` and `finish`.
///
/// ```text
/// compound!(Items<'_> => (), Error: SerializeSeq serialize_element, SerializeTuple serialize_element);
/// ```
macro_rules! compound {
    ($type:ty => $ok:ty, $error:ty: $($kind:ident $method:ident),*) => {
        $(
            impl serde::ser::$kind for $type {
                type Ok = $ok;
                type Error = $error;

                #[inline(always)]
                fn $method<T: serde::Serialize + ?Sized>(&mut self, value: &T) -> std::result::Result<(), $error> {
                    self.push(value)
                }

                #[inline(always)]
                fn end(self) -> std::result::Result<$ok, $error> {
                    self.finish()
                }
            }
        )*
    };
}
pub(crate) use compound;
