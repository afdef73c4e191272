//! Small programs of the kinds that people brought: each ends well.

/// A file in C order by hand.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    crate::common::npy(descr, false, shape, data)
}

macro_rules! programs {
    ($($name:ident)*) => { $(
        mod $name {
            #[allow(unused_imports, reason = "not every program makes a file by hand")]
            use super::npy;

            include!(concat!("../field/", stringify!($name), ".rs"));

            #[test]
            fn ends_well() {
                main();
            }
        }
    )* };
}

programs! {
    f01_descr_spellings
    f03_one_unreadable_member
    f05_u128
    f07_map_of_arrays_over_flat_keys
    f08_bool_and_integers
    f10_axes_of_one
    f12_bytes_as_text_for_any
    f14_ndarray_of_records
    f16_ndarray_through_serdes_buffer
    f18_path_of_a_hidden_key
    f20_columns_of_records
    f22_open_or_create
    f24_rows_that_fit_the_file
    f25_turbofish
    f27_nat_is_none
    f31_array_and_group
    f40_elements_once
    f42_optional_whole_key
    f44_options_in_records
    f47_readers_travel
}
