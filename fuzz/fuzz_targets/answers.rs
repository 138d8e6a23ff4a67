//! `targets::answers` on whatever libFuzzer comes up with.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    reachform_fuzz::targets::answers(input);
});
