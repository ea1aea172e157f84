//! The command `bemr`; see [`bemr_cli`].

fn main() -> std::process::ExitCode {
    bemr_cli::main()
}
