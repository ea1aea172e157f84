//! Ties a target of `harness/` to libFuzzer. A file in `fuzz_targets/` is a target by its name, and says nothing else.

pub use bemr_fuzz;
pub use libfuzzer_sys;

/// Makes the binary that it stands in fuzz the target of its name.
#[macro_export]
macro_rules! target {
    () => {
        $crate::libfuzzer_sys::fuzz_target!(
            init: $crate::begin(),
            |input: &[u8]| $crate::bemr_fuzz::libfuzzer::run(env!("CARGO_BIN_NAME"), input)
        );
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            $crate::bemr_fuzz::libfuzzer::mutate(env!("CARGO_BIN_NAME"), data, size, most, seed)
        });
        $crate::libfuzzer_sys::fuzz_crossover!(|one: &[u8], two: &[u8], out: &mut [u8], seed: u32| {
            $crate::bemr_fuzz::libfuzzer::cross(env!("CARGO_BIN_NAME"), one, two, out, seed)
        });
    };
}

/// Lets a panic that is caught be one: the store makes an error of what its database panics about, and libFuzzer would end at
/// once. A panic that nobody catches ends it all the same.
pub fn begin() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}
