//! Files that the user names. An input is a regular file, read within a bound; an output replaces nothing but an output of its kind.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// So many first bytes tell the kinds of files that the program writes from each other, and from records, stores and keys.
const KIND: usize = 8;

/// The first bytes of a page.
pub(crate) const PAGE: &str = "<!DOCTYPE html>";

fn named(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

/// Opens a regular file. Opening a FIFO waits for a writer for ever, and a device has no end.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    File::open(path)
}

/// Reads a regular file of at most so many bytes, whatever its metadata says.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let opened = open(path).and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes));
    opened.map_err(named(path))?;
    if bytes.len() as u64 > most {
        return Err(format!("{}: more than {most} bytes", path.display()));
    }
    Ok(bytes)
}

/// Whether both paths name one file, by whatever name. Where one does not exist yet, its folder decides.
fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(a), Ok(b)) => is_same_file(one, &a, other, &b),
        (Err(_), Err(_)) => place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other)),
        _ => false,
    }
}

#[cfg(unix)]
fn is_same_file(_: &Path, one: &Metadata, _: &Path, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(one: &Path, _: &Metadata, other: &Path, _: &Metadata) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn place(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// Opens an output whose first bytes will be `head`, and keeps what is in it until it is written.
///
/// # Errors
/// It is one of the files in `used`, cannot be written, or holds something that does not begin as it would.
pub(crate) fn reserve(path: &Path, head: &str, used: &[PathBuf]) -> Result<Output, String> {
    if let Some(other) = used.iter().find(|other| is_same(path, other)) {
        return Err(format!("{}: the output would replace {}", path.display(), other.display()));
    }
    let exists = std::fs::metadata(path);
    // Opening it would create the file that it names, which may be another output.
    if exists.is_err() && std::fs::symlink_metadata(path).is_ok() {
        return Err(format!("{}: a link to no file", path.display()));
    }
    if exists.as_ref().is_ok_and(Metadata::is_file) {
        let mut there = Vec::new();
        let opened = File::open(path).and_then(|file| file.take(KIND as u64).read_to_end(&mut there));
        opened.map_err(named(path))?;
        let head = &head.as_bytes()[..head.len().min(KIND)];
        if !there.is_empty() && !there.starts_with(head) {
            return Err(format!(
                "{}: exists, and is no output of this kind; it is not replaced",
                path.display()
            ));
        }
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(named(path))?;
    Ok(Output { path: path.to_owned(), file })
}

/// An output that can be written.
pub(crate) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Its file, emptied.
    pub(crate) fn begin(self) -> Result<(PathBuf, File), String> {
        match self
            .file
            .metadata()
            .and_then(|about| if about.is_file() { self.file.set_len(0) } else { Ok(()) })
        {
            Ok(()) => Ok((self.path, self.file)),
            Err(error) => Err(named(&self.path)(error)),
        }
    }

    /// Writes all of it.
    pub(crate) fn write(self, bytes: impl AsRef<[u8]>) -> Result<(), String> {
        let (path, mut file) = self.begin()?;
        file.write_all(bytes.as_ref()).and_then(|()| file.flush()).map_err(named(&path))
    }
}

/// Writes an output at once; an error names its path.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), String> {
    let head = String::from_utf8_lossy(&bytes.as_ref()[..bytes.as_ref().len().min(KIND)]).into_owned();
    reserve(path, &head, &[])?.write(bytes)
}

/// Writes an output into a folder, which it creates where it does not exist, and returns its path.
pub(crate) fn write_into(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> Result<PathBuf, String> {
    create_folder(folder)?;
    let path = folder.join(name);
    write(&path, bytes)?;
    Ok(path)
}

/// Creates a folder for outputs where it does not exist.
pub(crate) fn create_folder(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(named(folder))
}
