#![no_main]
bemr_fuzz_targets::target!(STORE_FILE);
