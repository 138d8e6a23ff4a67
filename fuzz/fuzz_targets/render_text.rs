//! `targets::render_text` on whatever libFuzzer comes up with.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    reachform_fuzz::targets::render_text(input);
});
