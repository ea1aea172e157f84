//! Ties a target of `harness/` to libFuzzer. A file in `fuzz_targets/` names its target, and says nothing else.

pub use bemr_fuzz;
pub use libfuzzer_sys;

/// Makes a binary fuzz a target.
#[macro_export]
macro_rules! target {
    ($target:ident) => {
        use $crate::bemr_fuzz::{libfuzzer, targets};
        use $crate::libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

        fuzz_target!(init: $crate::begin(), |input: &[u8]| libfuzzer::run(&targets::$target, input));
        fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            if libfuzzer::is_left_to_the_engine(&targets::$target, seed) {
                fuzzer_mutate(data, size, most)
            } else {
                libfuzzer::mutate(&targets::$target, data, size, most, seed)
            }
        });
        fuzz_crossover!(|one: &[u8], two: &[u8], out: &mut [u8], seed: u32| {
            libfuzzer::cross(&targets::$target, one, two, out, seed)
        });
    };
}

/// Lets a panic that is caught be one: the store makes an error of what its database panics about, and libFuzzer would end at
/// once. A panic that nobody catches ends it all the same.
pub fn begin() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}
