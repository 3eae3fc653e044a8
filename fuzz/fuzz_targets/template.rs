#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| patroni_preflight_fuzz::template(data));
