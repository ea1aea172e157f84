//! The command `bemr`; see [`bemr::command`].

fn main() -> std::process::ExitCode {
    bemr::command::main()
}
