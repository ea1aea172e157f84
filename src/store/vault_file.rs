//! The keys of records, in a file of their own that is written in place.
//!
//! A database that copies on write leaves the old copy of a page behind. A key must not survive its erasure in
//! such a copy, so keys live here: slots of 32 bytes, overwritten with zeros when the key is destroyed. What the
//! disk itself keeps (wear levelling, snapshots of the file system, backups) is out of reach.

use crate::crypto::AeadKey;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zeroize::Zeroizing;

const SLOT: u64 = 32;

#[derive(Debug)]
pub(super) struct VaultFile {
    file: File,
}

impl VaultFile {
    pub(super) fn open(path: &Path) -> io::Result<VaultFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(VaultFile { file: options.open(path)? })
    }

    /// Writes a key into a slot; [`VaultFile::sync`] makes it last.
    pub(super) fn write(&mut self, slot: u64, key: &AeadKey) -> io::Result<()> {
        self.put(slot, key.expose())
    }

    /// Overwrites a slot with zeros.
    pub(super) fn destroy(&mut self, slot: u64) -> io::Result<()> {
        self.put(slot, &[0; SLOT as usize])
    }

    fn put(&mut self, slot: u64, bytes: &[u8; SLOT as usize]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset(slot)?))?;
        self.file.write_all(bytes)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The key in a slot; nothing when the file ends before it or the slot is zero.
    pub(super) fn read(&self, slot: u64) -> io::Result<Option<AeadKey>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset(slot)?))?;
        let mut bytes = Zeroizing::new([0; SLOT as usize]);
        match file.read_exact(bytes.as_mut_slice()) {
            Ok(()) if *bytes != [0; SLOT as usize] => Ok(Some(AeadKey::from_bytes(*bytes))),
            Ok(()) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many slots the file has.
    pub(super) fn slots(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len().div_ceil(SLOT))
    }
}

fn offset(slot: u64) -> io::Result<u64> {
    slot.checked_mul(SLOT).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}
