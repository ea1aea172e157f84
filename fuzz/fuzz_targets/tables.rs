#![no_main]
bemr_fuzz_targets::target!(TABLES);
