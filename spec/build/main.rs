//! Generates Rust from the chapters: the register of clauses, the orders of checks, the constants, the state machines, the
//! events and the list of the chapters' texts.
//!
//! Each module reads one kind of content and reports the first line that breaks its form, with file and line. A chapter
//! that cannot be read stops the build.

mod chapter;
mod clauses;
mod constants;
mod machines;
mod orders;
mod tables;

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=chapters");
    let chapters = chapter::read_all(Path::new("chapters"));
    let clauses = stop_at_error(clauses::read(&chapters));
    let machines = stop_at_error(machines::read(&chapters, &clauses));
    let events = stop_at_error(machines::read_other_events(&chapters, &machines));
    write("machines.rs", &machines::render(&machines, &events));
    let tables = stop_at_error(tables::tables(&chapters, "Order", &orders::COLUMNS));
    let orders = stop_at_error(orders::read(&tables, &clauses));
    let tables = stop_at_error(tables::tables(&chapters, "Constants", &constants::COLUMNS));
    let constants = stop_at_error(constants::read(&tables));
    write("constants.rs", &constants::render(&constants));
    write("clauses.rs", &clauses::render(&clauses));
    write("orders.rs", &orders::render(&orders));
    write("chapters.rs", &chapter::render_list(&chapters));
}

/// The value, or the end of the build with the message, which begins with file and line.
fn stop_at_error<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1);
    })
}

fn write(name: &str, text: &str) {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join(name), text).expect("OUT_DIR is writable");
}
